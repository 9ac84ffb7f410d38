// Where the page is: which session it shows, and how it reaches the others. All addresses are relative.

// In front of the session's part of the path is what is in front of every own path, and with an upstream its prefix
// once more behind it: /__test/s/ID/__test/ui.
const parts = location.pathname.match(/^(.*)\/s\/([^/]+)((?:\/.*)?)\/ui$/u);
const within = parts && parts[1].endsWith(parts[3]) ? parts : null;

/** The id of the session. */
export const session = within ? decodeURIComponent(within[2]) : "default";

/** The way to the routes of the server itself. */
export const root = within ? "../".repeat(2 + within[3].split("/").length - 1) : "";

/** An address at which a client reaches the session. */
export const address = location.origin + location.pathname.replace(/ui$/u, "msg");

/** The address of the page of a session. */
export function pageOf(id) {
  const prefix = within ? within[3] : "";
  return id === "default" ? `${root}ui` : `${root}s/${encodeURIComponent(id)}${prefix}/ui`;
}
