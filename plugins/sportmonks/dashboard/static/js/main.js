// Which view is shown (by the address after #), when it is refreshed, and the message when it cannot be loaded.
import { h, empty, zone } from "./dom.js";
import { get, Trouble } from "./api.js";
import { overview } from "./overview.js";
import { runs, run } from "./runs.js";
import { coverage, season } from "./coverage.js";
import { routes } from "./routes.js";
import { metrics } from "./metrics.js";
import { logs } from "./logs.js";
import { alerts } from "./alerts.js";
import { changes } from "./changes.js";
import { start as startForm } from "./actions.js";
import { backfill } from "./backfill.js";
import { league } from "./league.js";
import { fixture } from "./fixture.js";
import { tidy } from "./charts.js";
import { remember } from "./places.js";

// path: [label in the bar (or the section it belongs to), view, seconds between refreshes]
const VIEWS = {
  "": ["Overview", overview, 5],
  runs: ["Runs", runs, 15],
  run: ["Runs", run, 5],
  coverage: ["Coverage", coverage, 30],
  season: ["Coverage", season, 30],
  league: ["Coverage", league, 30],
  start: ["Coverage", startForm, 0],
  backfill: ["Runs", backfill, 5],
  fixture: ["Coverage", fixture, 0],
  routes: ["Routes", routes, 30],
  metrics: ["Metrics", metrics, 60],
  logs: ["Logs", logs, 0],
  alerts: ["Alerts", alerts, 30],
  corrections: ["Corrections", changes, 0],
};
const SECTIONS = ["", "runs", "coverage", "routes", "metrics", "logs", "alerts", "corrections"];

// With the zone, in which every time on the page is.
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });

document.getElementById("zone").textContent = `Times: ${zone()}`;
document.getElementById("zone").title = "Your browser's time zone. Each time shows UTC when you point at it.";

const view = document.getElementById("view");
const fresh = document.getElementById("fresh");
let turn = 0;
let timer = 0;
let running = null;

function place() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
  return { name: Object.hasOwn(VIEWS, parts[0]) ? parts[0] : "", parts: parts.slice(1), search: new URLSearchParams(search) };
}

function drawBar(current) {
  document.getElementById("sections").replaceChildren(...SECTIONS.map((name) => {
    const label = VIEWS[name][0];
    return h("a", { href: `#/${name}`, "aria-current": label === current ? "page" : undefined }, label);
  }));
}

function trouble(error) {
  const known = error instanceof Trouble;
  if (!known) console.error(error);
  return h("div", { class: "empty trouble", role: "alert" },
    h("strong", {}, known ? error.message : "This page has a fault."),
    h("p", {}, known ? error.hint : "Reload it; if that does not help, the browser's console names the fault."),
    h("button", { type: "button", onclick: () => show(true) }, "Try again"));
}

// quiet: a refresh in place, which must not steal the focus nor throw away what is there when it fails.
async function show(quiet = false) {
  const mine = ++turn;
  clearTimeout(timer);
  running?.abort();
  running = new AbortController();
  const at = place();
  const [label, render, seconds] = VIEWS[at.name];
  drawBar(label);
  document.title = `${label}: Sportmonks ETL`;
  if (!quiet) view.setAttribute("aria-busy", "true");
  let failed = null;
  try {
    const content = await render({ ...at, signal: running.signal, refresh: () => show(true), go });
    if (mine !== turn) return;
    const back = quiet ? remember(view) : null;
    view.replaceChildren(content);
    tidy();
    back?.();
    say(seconds ? `Updated ${CLOCK.format(new Date())}` : "");
  } catch (error) {
    if (mine !== turn || error.name === "AbortError") return;
    failed = error;
    if (quiet && view.querySelector(".card")) {
      say(`Not updated: ${error.message}`, true);
    } else {
      view.replaceChildren(trouble(error));
    }
  }
  view.setAttribute("aria-busy", "false");
  if (!quiet) { scrollTo(0, 0); }
  const wait = failed ? 10 : seconds;
  if (wait && failed?.status !== 401 && failed?.status !== 403) timer = setTimeout(again, wait * 1000);
}

// Read out only when something is wrong: every few seconds "updated" would drown everything else.
function say(text, old = false) {
  fresh.setAttribute("aria-live", old ? "polite" : "off");
  fresh.classList.toggle("old", old);
  fresh.textContent = text;
}

// No refresh while the page is hidden, nor while somebody uses a menu, types or copies.
function again() {
  const busy = document.hasFocus() && document.activeElement?.matches("select, input, textarea");
  const chosen = getSelection();
  const copying = chosen && !chosen.isCollapsed && view.contains(chosen.anchorNode);
  if (copying) say("Paused while text is selected");
  if (document.hidden || busy || copying) timer = setTimeout(again, 2000);
  else show(true);
}

function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); view.focus(); });
addEventListener("hashchange", () => { show(); view.focus({ preventScroll: true }); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && VIEWS[place().name][2]) show(true); });

// Opened from a DAG, a run or a task in Airflow: straight to what shows it.
async function start() {
  const query = new URLSearchParams(location.search);
  const dag = query.get("dag_id");
  if (dag && !location.hash) {
    drawBar("Runs");
    try {
      // A plus sign that came unescaped reads as a blank; run ids have plus signs and no blanks.
      // Of a tab that Airflow opens without a run or a task, the name in braces stays.
      const at = (name) => (/^\{.*\}$/.test(query.get(name) ?? "") ? "" : query.get(name)?.replaceAll(" ", "+"));
      const found = await get("place", { dag_id: dag, run_id: at("run_id"), task_id: at("task_id") });
      if (found.place) { location.replace(`#/${found.place}`); return; }
      view.replaceChildren(at("run_id") ? empty("This run has no execution.", "Runs of league DAGs have one as soon as their first task has started, those of the catalog and of routes with their first list.") : empty("This DAG collects no league.", "The page shows the leagues that the manifest names, and their seasons."));
      view.setAttribute("aria-busy", "false");
    } catch (error) {
      view.replaceChildren(trouble(error));
    }
    return;
  }
  show();
}
start();
