"""Navigation, pure: a move changes the stack at once and gives the hooks to run, in WeChat's order.

Sources: WeChat, framework/app-service/route ("page route and lifecycle"), and wx.navigateTo and its sisters for what
is refused. Routes are queued and run one after another, so a hook that moves again runs after what is already queued.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.runtime.session import Frame, Program
from miniprograms.sdk.errors import NavigationError
from miniprograms.sdk.limits import STACK_MAX
from miniprograms.sdk.manifest import Manifest
from miniprograms.sdk.route import Api, Move, Query

NewFrame = Callable[[str, Query], Frame]


class Hook(StrEnum):
    """A page's hooks; the value is the method's name."""

    LOAD = "on_load"
    SHOW = "on_show"
    READY = "on_ready"
    HIDE = "on_hide"
    UNLOAD = "on_unload"


@dataclass(frozen=True, slots=True)
class Step:
    """One hook of one page, to be run when its turn comes."""

    frame: Frame
    hook: Hook


def take(program: Program, manifest: Manifest, move: Move, new: NewFrame) -> list[Step]:
    """Change the stack and return the hooks. Raises `NavigationError`, and then nothing has changed."""
    if move.api is not Api.NAVIGATE_BACK:
        _check(program, manifest, move)
    match move.api:
        case Api.NAVIGATE_TO:
            hidden = [Step(program.frames[-1], Hook.HIDE)] if program.frames else []
            return hidden + _push(program, move, new)
        case Api.REDIRECT_TO:
            closed = [Step(program.frames.pop(), Hook.UNLOAD)] if program.frames else []
            return closed + _push(program, move, new)
        case Api.NAVIGATE_BACK:
            return _back(program, move.delta)
        case Api.SWITCH_TAB:
            return _switch(program, manifest, move, new)
        case Api.RE_LAUNCH:
            return close_all(program) + _push(program, move, new)


def close_all(program: Program) -> list[Step]:
    """Every page of the program, top first, hidden tabs last."""
    steps = [Step(frame, Hook.UNLOAD) for frame in (*reversed(program.frames), *program.tabs)]
    program.frames.clear()
    program.tabs.clear()
    return steps


def _check(program: Program, manifest: Manifest, move: Move) -> None:
    if move.route not in manifest.pages:
        raise NavigationError(
            f'{move.api}:fail page "{move.route}" is not found',
            "app.json names every page, without a suffix.",
        )
    is_tab = manifest.is_tab(move.route)
    if move.api in {Api.NAVIGATE_TO, Api.REDIRECT_TO} and is_tab:
        raise NavigationError(f"{move.api}:fail can not {move.api} a tabbar page", "Use switch_tab.")
    if move.api is Api.SWITCH_TAB and not is_tab:
        raise NavigationError("switchTab:fail can not switch to no-tabBar page", "Use navigate_to.")
    if move.api is Api.NAVIGATE_TO and len(program.frames) >= STACK_MAX:
        raise NavigationError(
            "navigateTo:fail webview count limit exceed",
            f"{STACK_MAX} pages are open: use redirect_to where nobody comes back.",
        )


def _push(program: Program, move: Move, new: NewFrame) -> list[Step]:
    frame = new(move.route, move.query)
    program.frames.append(frame)
    return [Step(frame, Hook.LOAD), Step(frame, Hook.SHOW)]


def _back(program: Program, delta: int) -> list[Step]:
    depth = len(program.frames)
    if depth <= 1:
        raise NavigationError("navigateBack:fail cannot navigate back at first page")
    count = min(max(delta, 1), depth - 1)
    closed = [Step(program.frames.pop(), Hook.UNLOAD) for _ in range(count)]
    return [*closed, Step(program.frames[-1], Hook.SHOW)]


def _switch(program: Program, manifest: Manifest, move: Move, new: NewFrame) -> list[Step]:
    """Close what is no tab; leave the tab, if one was shown; show the other, which is made when it is first shown."""
    shown = program.frames[-1] if program.frames else None
    if shown is not None and shown.route == move.route:
        return []
    steps: list[Step] = []
    while program.frames:
        frame = program.frames.pop()
        if not manifest.is_tab(frame.route):
            steps.append(Step(frame, Hook.UNLOAD))
            continue
        if frame is shown:
            steps.append(Step(frame, Hook.HIDE))
        program.tabs.append(frame)
    kept = next((frame for frame in program.tabs if frame.route == move.route), None)
    if kept is None:
        return steps + _push(program, Move(api=move.api, route=move.route), new)
    program.tabs.remove(kept)
    program.frames.append(kept)
    return [*steps, Step(kept, Hook.SHOW)]
