"""``syncer`` itself: what all commands share, and how a failure ends the process."""

import click

import syncer
from syncer.cli.approve import approve
from syncer.cli.doctor import doctor
from syncer.cli.explain import explain
from syncer.cli.health import health
from syncer.cli.names import names
from syncer.cli.passes import once, plan
from syncer.cli.run import run
from syncer.cli.status import status
from syncer.cli.validate import validate
from syncer.cli.withdraw import withdraw

_EPILOG = """\b
Exit codes: 0 done, and in sync; 1 something is not as it should be; 2 the settings or the command line are wrong.
"""


@click.group(
    epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(syncer.__version__, prog_name="syncer")
def main() -> None:
    r"""Keep HashiCorp Consul and AWS Cloud Map in step, both ways.

    \b
    Examples:
      syncer validate syncer.yaml         is the file in order?
      syncer plan -c syncer.yaml          what would be done? changes nothing
      syncer run -c syncer.yaml           keep everything in step until told to stop
      syncer names web.service.consul     what is it called on the other side?
    """


for _command in (run, once, plan, names, validate, doctor, explain, status, health, approve, withdraw):
    main.add_command(_command)
