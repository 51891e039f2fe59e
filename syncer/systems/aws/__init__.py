"""What all AWS systems share: how AWS is reached, one call of an operation, and what its errors mean."""

from syncer.systems.aws.calls import ENOUGH, Answer, Aws, Call, required
from syncer.systems.aws.errors import guarded, translate
from syncer.systems.aws.sessions import Access

__all__ = ["ENOUGH", "Access", "Answer", "Aws", "Call", "guarded", "required", "translate"]
