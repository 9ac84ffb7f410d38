"""Python: requests with the Retry of urllib3."""
import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

url, body = sys.argv[1], None
if len(sys.argv) > 2:
    body = b"x" * int(sys.argv[2])
session = requests.Session()
retry = Retry(total=3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503, 504])
session.mount("http://", HTTPAdapter(max_retries=retry))
answer = session.request("POST" if body else "GET", url, data=body, timeout=10)
answer.raise_for_status()
print(answer.text)
