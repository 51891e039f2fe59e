"""Error answers in the shapes of AWS's protocols."""

import json
from xml.sax.saxutils import escape

from .protocol import Reply


def xml_error(code: str, message: str, status: int) -> Reply:
    """Return an error as the REST-XML and query protocols have it."""
    body = (
        f'<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>emulated</RequestId></ErrorResponse>"
    )
    return Reply(status, body.encode(), "text/xml")


def ec2_error(code: str, message: str, status: int) -> Reply:
    """Return an error as EC2 has it."""
    body = (
        f'<?xml version="1.0"?><Response><Errors><Error><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error></Errors><RequestID>emulated</RequestID></Response>"
    )
    return Reply(status, body.encode(), "text/xml")


def json_error(code: str, message: str, status: int) -> Reply:
    """Return an error as the JSON protocols have it."""
    return Reply(status, json.dumps({"__type": code, "message": message}).encode())
