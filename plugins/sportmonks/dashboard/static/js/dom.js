// Elements from data. Text only ever becomes text: there is no innerHTML in this page.

const BOOLEAN = new Set(["disabled", "checked", "selected", "open", "hidden"]);

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "css") for (const [key, item] of Object.entries(value)) element.style.setProperty(key, item);
    else if (BOOLEAN.has(name)) element[name] = true;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const count = (value) => (value === null || value === undefined ? "–" : new Intl.NumberFormat("en").format(value));
export const percent = (part, total) => (total ? Math.floor((100 * part) / total) : 0);

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  if (s < 172800) return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

export function ago(iso) {
  if (!iso) return "never";
  const seconds = (Date.now() - new Date(iso)) / 1000;
  const text = duration(Math.abs(seconds)).replace(/^(\d+)m .*/, "$1m");
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTE = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", year: "numeric" });
// Times are in the reader's zone, which the bar of the page names; in UTC on hover.
const utc = (iso) => `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
const exact = (format) => (iso) => (iso ? h("time", { datetime: iso, title: utc(iso) }, format.format(new Date(iso))) : "–");
export const minute = exact(MINUTE);
export const date = exact(DATE);
export const clock = exact(DAY);
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

// A time: relative to now for reading, exact on hover and for machines.
export const when = (iso) => (iso ? h("time", { datetime: iso, title: utc(iso) }, ago(iso)) : h("span", { class: "dim" }, "never"));

const MARKS = { RUNNING: "▶", COMPLETED: "✓", FAILED: "✕", CANCELLED: "■", PENDING: "…", QUEUED: "…", CANCELLING: "■", SKIPPED: "↷", OPEN: "!", ACKNOWLEDGED: "◐", RESOLVED: "✓", CRITICAL: "✕", ERROR: "✕", WARNING: "!", INFO: "i", DEBUG: "·" };
export const badge = (status) => h("span", { class: `badge ${String(status).toLowerCase()}` }, h("span", { "aria-hidden": "true" }, MARKS[status] ?? "•"), ` ${status}`);

// A season by its data: [mark, words]; the words of an incomplete one say how much there is.
const STATES = { UNREAD: ["○", "never read"], EMPTY: ["○", "no fixtures"], RUNNING: ["▶", "running"], FAILED: ["✕", "failed"], INCOMPLETE: ["◐", "incomplete"], DUE: ["◷", "re-reads due"], UP_TO_DATE: ["✓", "up to date"], COMPLETE: ["✓", "complete"] };
export const stateWords = (c) => (c.state === "INCOMPLETE" ? `${percent(c.collected_fixtures, c.total_fixtures)} % collected` : STATES[c.state][1]);
// The newest run failed although nothing is missing: it would have read what is there once more.
export const rereadFailed = (c) => c.status === "FAILED" && c.state !== "FAILED";
export const seasonBadge = (c) => [h("span", { class: `badge ${c.state.toLowerCase()}` }, h("span", { "aria-hidden": "true" }, STATES[c.state][0]), ` ${stateWords(c)}`),
  rereadFailed(c) ? h("span", { class: "badge reread" }, h("span", { "aria-hidden": "true" }, "↻"), " last re-read failed") : null];

export const card = (title, ...body) => {
  const id = `card-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...body);
};

export const empty = (title, hint) => h("div", { class: "empty" }, h("strong", {}, title), hint ? h("p", {}, hint) : null);

// columns: [label, row => node or text, class]. On a phone every row becomes a block; the labels come along.
export function table(caption, columns, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map(([label, , kind]) => h("th", { scope: "col", class: kind }, label)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map(([label, cell, kind]) => h("td", { class: kind, "data-label": label }, cell(row))))))));
}

export function bar(done, total, label) {
  return h("progress", { max: total || 1, value: Math.min(done, total || 1), "aria-label": label });
}

// Airflow's own address: the page is mounted one step below it, whatever path lies in front.
export const airflowRoot = () => location.pathname.replace(/[^/]+\/?$/, "");

// Into Airflow's own page: a DAG, a run, or a task of it with its log. The frame may not navigate it, but a link that
// stands in that page may be clicked.
export function airflowLink(dagId, runId, text, taskId) {
  if (!dagId) return h("span", { class: "dim" }, text ?? "–");
  const href = `${airflowRoot()}dags/${encodeURIComponent(dagId)}${runId ? `/runs/${encodeURIComponent(runId)}` : ""}${runId && taskId ? `/tasks/${encodeURIComponent(taskId)}` : ""}`;
  const go = (event) => {
    if (window.parent === window || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const link = window.parent.document.createElement("a");
    link.href = href;
    window.parent.document.body.append(link);
    link.click();
    link.remove();
  };
  return h("a", { href, onclick: go, title: "Open in Airflow" }, text ?? dagId, h("span", { "aria-hidden": "true" }, " ↗"));
}

export function note(text, kind = "info") {
  const element = h("p", { class: `note ${kind}` }, text);
  document.getElementById("notes").replaceChildren(element);
  setTimeout(() => element.remove(), 6000);
}

export const downloads = (what, query = "") => h("span", { class: "downloads" },
  ["csv", "json"].map((kind) => h("a", { class: "button", href: `api/export/${what}.${kind}${query}`, download: "", title: "Up to 5,000 rows, the newest first" }, kind.toUpperCase())));
