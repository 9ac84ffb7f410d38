// Node: its own fetch, alone.
const [url, bytes] = process.argv.slice(2);
const options = bytes ? { method: "POST", body: "x".repeat(Number(bytes)) } : {};
const answer = await fetch(url, options);
if (!answer.ok) throw new Error(`status ${answer.status}`);
console.log(await answer.text());
