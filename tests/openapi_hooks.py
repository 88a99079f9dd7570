"""Keeps the answers short that serve_openapi_test.py asks for: the test is about shapes, not about text."""
import schemathesis

TOKENS = 4
LENGTHS = {"/v1/responses": "max_output_tokens", "/v1/chat/completions": "max_tokens", "/v1/completions": "max_tokens", "/v1/messages": "max_tokens"}


def bound(body, name, most):
    """What is missing or too large becomes `most`; what is wrong stays so."""
    value = body.setdefault(name, most)
    if value is None or (isinstance(value, (int, float)) and value > most):
        body[name] = most


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not isinstance(body, dict):
        return
    if case.path in LENGTHS:
        bound(body, LENGTHS[case.path], TOKENS)
        if "n" in body:
            bound(body, "n", 2)
    if case.path in ("/api/chat", "/api/generate") and isinstance(body.setdefault("options", {}), dict):
        bound(body["options"], "num_predict", TOKENS)
