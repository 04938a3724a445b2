"""How much of a quota a document uses.

Sizes in characters. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
botocore's models of ecr and iam (aws-facts 2.3, 1.1).
"""

from typing import Final

from ecr_warden.policy.document import Document

USER_INLINE_QUOTA: Final = 2_048
"""All inline policies of a user together, without white space."""

ROLE_INLINE_QUOTA: Final = 10_240
"""All inline policies of a role together, without white space."""

TRUST_POLICY_QUOTA: Final = 2_048
"""A trust policy, by default: an account can have it raised."""

REPOSITORY_POLICY_QUOTA: Final = 10_240
"""A repository policy as sent; whether ECR leaves white space out is unknown, so compact text is counted whole."""


def policy_size(document: Document) -> int:
    """Non-white-space characters of the document as it will be sent, as IAM counts them.

    White space inside a string (a Sid of ECR's) is not counted either: IAM counts characters, not JSON.
    """
    return len("".join(document.text.split()))
