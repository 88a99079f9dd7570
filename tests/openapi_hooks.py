"""Keeps the answers short that serve_openapi_test.py asks for: the test is about shapes, not about text."""
import schemathesis

LENGTHS = {"/v1/responses": ("max_output_tokens", 1), "/v1/chat/completions": ("max_tokens", 1), "/v1/completions": ("max_tokens", 1),
           "/v1/messages": ("max_tokens", 1)}


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if not isinstance(body, dict):
        return
    if case.path in LENGTHS:
        name, smallest = LENGTHS[case.path]
        if isinstance(body.get(name, 0), int) and not isinstance(body.get(name), bool) and (name in body or name != "max_tokens" or case.path != "/v1/messages"):
            body[name] = min(max(body.get(name, 4), smallest), 4) if body.get(name, 4) >= smallest else body[name]
        if isinstance(body.get("n"), int) and body["n"] > 2:
            body["n"] = 2
    if case.path in ("/api/chat", "/api/generate") and isinstance(body.get("options", {}), dict):
        options = body.setdefault("options", {})
        if isinstance(options.get("num_predict", -1), int) and options.get("num_predict", -1) > -3:
            options["num_predict"] = 2
