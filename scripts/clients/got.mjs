// Node: got, with its defaults.
import got from "got";

const [url, bytes] = process.argv.slice(2);
const call = bytes ? got.post(url, { body: "x".repeat(Number(bytes)) }) : got(url);
console.log(await call.text());
