"""Python: httpx under tenacity."""
import sys

import httpx
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

url, body = sys.argv[1], None
if len(sys.argv) > 2:
    body = b"x" * int(sys.argv[2])


def passes(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429, 500, 502, 503, 504)
    return isinstance(error, httpx.TransportError)


with httpx.Client(timeout=10) as client:

    @retry(retry=retry_if_exception(passes), stop=stop_after_attempt(4), wait=wait_random_exponential(0.5, max=10))
    def call() -> str:
        answer = client.request("POST" if body else "GET", url, content=body)
        answer.raise_for_status()
        return answer.text

    print(call())
