"""Wants to be asked for UnionPay's money."""

from dataclasses import replace

import plainpay

plugin = replace(plainpay.plugin, info=replace(plainpay.plugin.info, id="unionpay"))
