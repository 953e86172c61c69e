"""The keys of known issuers."""

ISSUED_KEYS = (
    r"A[KS]IA[0-9A-Z]{16}",  # AWS: AKIA..., ASIA...
    r"AIza[\w-]{30,}",  # Google API
    r"GOCSPX-[\w-]{16,}",  # Google OAuth client
    r"ya29\.[\w-]{16,}",  # Google OAuth access
    r"gh[pousr]_\w{20,}",  # GitHub: ghp_...
    r"github_pat_\w{20,}",  # GitHub, fine-grained
    r"glpat-[\w.-]{16,}",  # GitLab
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{30,}",  # npm
    r"pypi-AgE[\w-]{16,}",  # PyPI
    r"sk-[\w-]{16,}",  # OpenAI, Anthropic
    r"[rs]k_(?:live|test)_\w{10,}",  # Stripe: sk_live_...
    r"whsec_\w{10,}",  # Stripe webhook
    r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    r"xapp-[\w-]{10,}",  # Slack app
    r"xox[abeprs]-[\w-]{10,}",  # Slack: xoxb-...
)
