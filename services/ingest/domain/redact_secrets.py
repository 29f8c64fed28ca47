"""Keys, tokens and passwords made unreadable: people paste them into tickets, and feedback travels far.

Sources: the issuers' documented token formats (GitHub, GitLab, Slack, Stripe, AWS, Google, npm, PyPI,
SendGrid, Twilio), RFC 7468 (PEM), RFC 7519 (JWT), RFC 3986 section 3.2.1 (user information in an URL).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

KEY = "[key removed]"
PASSWORD = "[password removed]"  # noqa: S105 - what stands in its place

_PEM = re.compile(
    r"-----BEGIN (?P<label>(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:.*?-----END (?P=label)-----|.*)",
    re.DOTALL,
)
#: Each begins with one of `_HEADS`: looking for literals is ten times as fast as an expression that fails.
_TOKENS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        (?:AKIA|ASIA)[0-9A-Z]{16}
      | gh[pousr]_[A-Za-z0-9]{20,255}
      | github_pat_[A-Za-z0-9_]{20,255}
      | gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_\-.]{20,255}
      | xox[abeoprs]-[A-Za-z0-9-]{10,255}
      | xapp-[A-Za-z0-9-]{10,255}
      | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}
      | whsec_[A-Za-z0-9+/=]{16,255}
      | AIza[0-9A-Za-z_-]{35}
      | ya29\.[0-9A-Za-z_-]{20,255}
      | sk-(?=[A-Za-z_-]{0,80}[0-9])[A-Za-z0-9_-]{20,255}
      | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}
      | SK[0-9a-f]{32}
      | npm_[A-Za-z0-9]{36}
      | pypi-[A-Za-z0-9_-]{50,500}
      | dop_v1_[0-9a-f]{64}
      | lp_[A-Za-z0-9_-]{24,128}
      | (?<![_-])eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}
    )(?![A-Za-z0-9])""",
    re.VERBOSE,
)
_HEADS = (
    *(
        "AKIA",
        "ASIA",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
        "xox",
        "xapp-",
        "k_live",
        "k_test",
    ),
    *(
        "glpat-",
        "gldt-",
        "glrt-",
        "glcbt-",
        "glptt-",
        "glft-",
        "glsoat-",
        "glagent-",
        "whsec_",
        "AIza",
        "ya29.",
    ),
    *("sk-", "SG.", "SK", "npm_", "pypi-", "dop_", "lp_", "eyJ"),
)
#: Of all of `_TOKENS`, none of which has a space in it.
_SHORTEST_TOKEN_CHARS = 15
_SLACK_HOOK = re.compile(
    r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]{10,200}"
)
_URL_LOGIN = re.compile(r"\b([a-z][a-z0-9+.-]{1,15}://[^\s/:@]{1,64}):[^\s/@]{1,128}@", re.IGNORECASE)
_BEARER = re.compile(
    r"\b(authorization[ \t]*[:=][ \t]*(?:bearer|basic|token)[ \t]+)[A-Za-z0-9+/=._~-]{8,4000}", re.IGNORECASE
)
_LABELS = (
    "password|passwd|passphrase|passcode|passwort|kennwort|mot de passe|contraseña|contrasena|pwd"
    "|api[ _-]?key|api[ _-]?token|access[ _-]?token|auth[ _-]?token|client[ _-]?secret|secret[ _-]?key"
)
_LABELLED = re.compile(
    rf"(?P<label>(?<![^\W_])(?:{_LABELS})[\"'*`]{{0,3}}[ \t\u00a0\u202f]{{0,3}}"
    r"(?:(?P<sign>[:=])|(?<=[ ])(?:is|ist|lautet|est|es)(?:[ ]?(?P<late>:)|(?=[ ])))[ \t\u00a0]{0,3})"
    r"(?P<value>\"[^\"\n]{3,200}\"|'[^'\n]{3,200}'|[^\s<>]{3,200})",
    re.IGNORECASE,
)
_PASSWORDS = ("pass", "kennwort", "mot de passe", "contra", "pwd")
_LABEL_HEADS = ("pass", "kennwort", "contrase", "pwd", "key", "token", "secret")
#: How a sentence goes on after "Password: …" when it speaks of passwords and gives none away.
_PROSE = frozenset(
    """
    a an and are as at be but can can't cannot change changed changing could did do does doesn't
    don't email enter expired expires field for forgot forgotten form get had has have how i i'd i'm
    if in invalid is isn't it it's link must my need needs never new no not of old on one or page
    please policy prompt requirements required reset resets resetting rule rules should still that
    the there they this to too try unknown was we what when where which why will with won't works
    would wrong you your aber das den der die ein eine es falsch geht ich ist kann kein keine man
    muss nicht und vergessen warum wie wird wo ändern zurücksetzen ce cette comment elle est et il
    ils impossible je la le les ma mais mon ne oublié pas pourquoi que quand cambiar como cómo
    cuando el ella en esta este lo mi olvidada olvidé para pero por qué se una y
    """.split()  # noqa: SIM905 - a list of words reads as one
)


def redact_secrets(text: str) -> str:
    """`text` with private keys, known tokens and what follows "password:" replaced; labels stay."""
    if "-----BEGIN " in text:
        text = _PEM.sub(KEY, text)
    words = text.split()
    if words and max(map(len, words)) >= _SHORTEST_TOKEN_CHARS and _has_token_head(words):
        text = _TOKENS.sub(KEY, text)
    if "://" in text:
        text = _SLACK_HOOK.sub(rf"\1{KEY}", text)
        text = _URL_LOGIN.sub(rf"\1:{PASSWORD}@", text)
    lower = text.lower()
    if _has_one(lower, _LABEL_HEADS):
        text = _LABELLED.sub(_unlabelled, text)
    if "authorization" in lower:
        text = _BEARER.sub(rf"\1{KEY}", text)
    return text


def _has_token_head(words: Sequence[str]) -> bool:
    """A long word of `words` has the head of a token in it."""
    return _has_one(" ".join([word for word in words if len(word) >= _SHORTEST_TOKEN_CHARS]), _HEADS)


def _has_one(text: str, literals: Sequence[str]) -> bool:
    """`any` over a generator would take twice as long, and this is asked of every piece."""
    for literal in literals:  # noqa: SIM110 - see above
        if literal in text:
            return True
    return False


def _unlabelled(match: re.Match[str]) -> str:
    quoted = match["value"][0] in "\"'"
    value = match["value"].strip("\"'*`")
    # Punctuation at the end is the sentence's.
    end = "" if quoted else value[len(value.rstrip(".,;:!?)…")) :]
    word = value.removesuffix(end)
    said = match["sign"] or match["late"] or any(char.isdigit() for char in word)
    if not said or word.lower() in _PROSE or word.startswith("[") or not word.strip("*•.xX?_-"):
        return match[0]
    placeholder = PASSWORD if match["label"].lower().startswith(_PASSWORDS) else KEY
    before, _, after = match["value"].partition(value)
    return f"{match['label']}{before}{placeholder}{end}{after}"
