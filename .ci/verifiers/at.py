"""Runs the verifier of examples/ that is given the table: it stays at the table's time, and NOW and ISSUER_AT say when that is
and where the key set is that its issuer, which does not exist, would serve. Argument: the verifier."""

import datetime
import os
import runpy
import sys
import urllib.request

import jwt.api_jwt


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(int(os.environ["NOW"]), tz)


def open_there(opener, asked, *rest, **named):
    address = asked.full_url.replace("https://latchkey.example.com", os.environ["ISSUER_AT"])
    return opened(opener, urllib.request.Request(address), *rest, **named)


opened = urllib.request.OpenerDirector.open
urllib.request.OpenerDirector.open = open_there
jwt.api_jwt.datetime = Clock
runpy.run_path(sys.argv[1], run_name="__main__")
