"""Python: aiohttp with aiohttp-retry."""
import asyncio
import sys

import aiohttp
from aiohttp_retry import ExponentialRetry, RetryClient

url, body = sys.argv[1], None
if len(sys.argv) > 2:
    body = b"x" * int(sys.argv[2])


async def main() -> None:
    options = ExponentialRetry(attempts=4, start_timeout=0.5)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=10)
    async with RetryClient(retry_options=options, raise_for_status=True, timeout=timeout) as client:
        call = client.post(url, data=body) if body else client.get(url)
        async with call as answer:
            print(await answer.text())


asyncio.run(main())
