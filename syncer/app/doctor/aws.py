"""AWS: who are we there, does Cloud Map answer, and how the clocks agree."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

from syncer.app.doctor.clocks import clock
from syncer.app.doctor.findings import Finding, fault, ok, warning
from syncer.app.ecs import access
from syncer.core.errors import Denied, SyncError, Throttled, Unavailable
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.systems.aws import Answer, Aws
from syncer.systems.cloudmap.api import Api

LISTING: Final = "ListNamespaces"
"""The operation that one begins with; its rate is the lowest of all, so it is called once."""
THROTTLED: Final = "try again in a minute: others use up what AWS allows of this account in this Region"
_ATTEMPTS: Final = 3
_PAUSE: Final = 1.0
"""Seconds between two attempts: the rates of Cloud Map are counted by the second."""
_FULL: Final = 0.8
"""The share of a quota from which on it is called near."""
_NAMESPACES: Final = 50
"""For each account and Region. Source: AWS Cloud Map quotas."""


def title(account: Account) -> str:
    """Return what to call *account* in front of a person."""
    words = [account.region or "the Region of the environment", account.role_arn or ""]
    return "AWS " + " as ".join(filter(None, words))


def identity(settings: Settings, account: Account) -> Iterator[Finding]:
    """Ask AWS who *account* is. One attempt."""
    about = title(account)
    caller = Aws(access(settings, account), stop=threading.Event())
    try:
        answer = caller.call("sts", "GetCallerIdentity")
    except Denied as e:
        yield fault(about, f"AWS does not know who we are: {e}", _credentials(account))
    except SyncError as e:
        advice = "give this host a way to STS (a VPC endpoint, NAT), or write aws.endpoint_urls.sts"
        yield (fault if account.role_arn else warning)(about, f"STS cannot be asked who we are: {e}", advice)
    else:
        yield ok(about, f"we are {answer.get('Arn')}, account {answer.get('Account')}")
        yield from clock(about, _date(answer), signed=True)
    finally:
        caller.close()


def reached(api: Api, account: Account) -> Iterator[Finding]:
    """Ask Cloud Map for the namespaces. One attempt, a few more while it asks for fewer calls.

    A refusal is an answer, too, and a finding of its own.
    """
    about = title(account)
    try:
        answer = _listed(api)
    except Throttled as e:
        yield warning(about, f"Cloud Map answers, but {LISTING} is throttled: {e}", THROTTLED)
    except Unavailable as e:
        advice = "give this host a way to Cloud Map (VPC endpoints servicediscovery and data-servicediscovery, NAT)"
        yield fault(about, f"Cloud Map does not answer: {e}", advice)
    except Denied as e:
        yield ok(about, "Cloud Map answers")
        yield fault(about, f"may not call {LISTING}: {e}", f"allow servicediscovery:{LISTING}")
    except SyncError as e:
        yield fault(about, f"Cloud Map cannot be asked: {e}", "check aws.region and aws.endpoint_urls")
    else:
        yield ok(about, "Cloud Map answers")
        yield from clock(about, _date(answer), signed=True)
        yield from _quota(about, answer)


def _listed(api: Api) -> Answer:
    """Return one page of the namespaces; raises what the last of a few attempts met."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return api.once(LISTING, MaxResults=100)
        except Throttled:
            if api.stop.wait(_PAUSE):
                raise
    return api.once(LISTING, MaxResults=100)


def _quota(about: str, answer: Answer) -> Iterator[Finding]:
    count = len(answer.get("Namespaces") or ())
    if count >= _NAMESPACES * _FULL:
        yield warning(
            about,
            f"{count}{' or more' if answer.get('NextToken') else ''} namespaces in this Region, of {_NAMESPACES} that "
            "AWS allows unless told otherwise",
            "ask for a higher quota (Service Quotas, AWS Cloud Map)",
        )


def _credentials(account: Account) -> str:
    if account.role_arn:
        return f"let {account.role_arn} trust this identity, and check external_id"
    return "give this host credentials: a task role, an instance profile, or AWS_* variables"


def _date(answer: Answer) -> str | None:
    metadata: Mapping[str, Any] = answer.get("ResponseMetadata") or {}
    date = (metadata.get("HTTPHeaders") or {}).get("date")
    return str(date) if date else None
