// Node: axios with axios-retry.
import axios from "axios";
import axiosRetry from "axios-retry";

const [url, bytes] = process.argv.slice(2);
axiosRetry(axios, { retries: 3, retryDelay: axiosRetry.exponentialDelay });
const options = { timeout: 10_000, responseType: "text", transformResponse: (text) => text };
const body = bytes && "x".repeat(Number(bytes));
const answer = body ? await axios.post(url, body, options) : await axios.get(url, options);
console.log(answer.data);
