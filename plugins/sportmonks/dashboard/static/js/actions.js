// Estimate and Collect: choosing seasons in the heat map, and the form that starts the runs.
import { h, card, empty, airflowLink } from "./dom.js";
import { get, query, send, Trouble } from "./api.js";
import { requireRunnable, trigger } from "./airflow.js";

// Fields that most people use; the others are behind "More".
const FIRST = ["date_from", "date_to", "max_fixtures", "force"];
const AT_ONCE = 6;

// Where the form for these seasons ("league_season") or leagues is.
export const startAddress = ({ chunks = [], leagues = [], params = {} }) => `#/start${query({ chunks: chunks.join(","), leagues: leagues.join(","), params: Object.keys(params).length ? JSON.stringify(params) : "" })}`;

export const startLink = (choice, text = "Estimate or collect…") => h("a", { class: "button", href: startAddress(choice) }, text);

// Seasons chosen in the heat map; they stay chosen while it is refreshed and filtered.
const chosen = new Set();
let choosing = false;

// The bar above the grid of coverage, and what a click on a cell does while seasons are chosen.
export function choice(grid) {
  const count = h("strong", { id: "chosen-count", role: "status" });
  const form = h("a", { class: "button", id: "chosen-start" }, "Estimate or collect…");
  const clear = h("button", { type: "button", onclick: () => { chosen.clear(); draw(); } }, "Choose none");
  const shown = h("button", { type: "button", onclick: () => { for (const cell of cells()) chosen.add(cell.dataset.chunk); draw(); } }, "Choose all shown");
  const more = h("span", { class: "row wrap", hidden: true }, count, form, shown, clear);
  const toggle = h("button", { type: "button", id: "choose", onclick: () => { choosing = !choosing; if (!choosing) chosen.clear(); draw(); } }, "Choose seasons");
  const cells = () => grid.querySelectorAll("a.heat[data-chunk]");
  const draw = () => {
    toggle.setAttribute("aria-pressed", String(choosing));
    more.hidden = !choosing;
    grid.classList.toggle("choosing", choosing);
    for (const cell of cells()) {
      const on = choosing && chosen.has(cell.dataset.chunk);
      cell.classList.toggle("chosen", on);
      if (choosing) cell.setAttribute("aria-description", on ? "chosen" : "not chosen");
      else cell.removeAttribute("aria-description");
    }
    const leagues = new Set([...chosen].map((chunk) => chunk.split("_")[0]));
    count.textContent = chosen.size ? `${chosen.size} season${chosen.size === 1 ? "" : "s"} of ${leagues.size} league${leagues.size === 1 ? "" : "s"}` : "Click seasons, or move with the arrow keys and press Space.";
    form.hidden = !chosen.size;
    form.setAttribute("href", startAddress({ chunks: [...chosen] }));
  };
  const flip = (event) => {
    const cell = event.target.closest("a.heat[data-chunk]");
    if (!choosing || !cell) return;
    event.preventDefault();
    if (!chosen.delete(cell.dataset.chunk)) chosen.add(cell.dataset.chunk);
    draw();
  };
  grid.addEventListener("click", flip);
  grid.addEventListener("keydown", (event) => { if (event.key === " ") flip(event); });
  draw();
  return h("p", { class: "row wrap", id: "choice" }, toggle, more);
}

// League -> ids of its seasons, from the address; no seasons: all that have something due.
function wanted(search) {
  const found = new Map();
  for (const chunk of (search.get("chunks") ?? "").split(",").filter(Boolean)) {
    const [league, season] = chunk.split("_").map(Number);
    if (!Number.isSafeInteger(league) || !Number.isSafeInteger(season)) continue;
    found.set(league, [...(found.get(league) ?? []), season]);
  }
  for (const league of (search.get("leagues") ?? "").split(",").filter(Boolean).map(Number)) if (Number.isSafeInteger(league)) found.set(league, []);
  return found;
}

function given(search) {
  try {
    const found = JSON.parse(search.get("params") ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch { return {}; }
}

const kind = (field) => [field.type].flat().find((type) => type !== "null");

function input(field, value) {
  const id = `field-${field.name}`;
  const shown = value ?? field.default;
  const type = kind(field);
  const props = type === "boolean" ? { type: "checkbox", checked: Boolean(shown) }
    : type === "integer" ? { type: "number", step: 1, min: field.minimum, max: field.maximum, value: shown ?? "" }
    : field.format === "date" ? { type: "date", value: shown ?? "" }
    : { type: "text", value: (shown ?? []).join(", "), placeholder: "a, b" };
  return h("div", { class: "field" }, h("label", { for: id }, field.title ?? field.name), h("input", { id, "aria-describedby": `${id}-about`, ...props }), h("small", { id: `${id}-about` }, field.description ?? ""));
}

// What differs from the default, so that a run's parameters show what somebody has chosen.
function values(fields) {
  const found = {};
  for (const field of fields) {
    const element = document.getElementById(`field-${field.name}`);
    const type = kind(field);
    let value = element.value.trim();
    if (type === "boolean") value = element.checked;
    else if (element.validity.badInput) throw new Trouble(422, `${field.title ?? field.name} is not a ${type === "integer" ? "number" : "date"}.`, "Correct it, or leave it empty.");
    else if (value === "") continue;
    else if (type === "integer") value = Number(value);
    else if (type === "array") value = value.split(/[,;]/).map((part) => part.trim()).filter(Boolean);
    if (JSON.stringify(value) !== JSON.stringify(field.default)) found[field.name] = value;
  }
  return found;
}

const sentence = (detail, hint, dagId) => h("li", {}, h("strong", {}, detail), hint ? ` ${hint}` : "", dagId ? h("span", {}, " ", airflowLink(dagId)) : null);

export async function start({ search, signal, go }) {
  const leagues = wanted(search);
  if (!leagues.size) return card("Estimate or collect", empty("Nothing is chosen.", "Choose seasons in Coverage, or open a season or a league."));
  const form = await get("form", { league_id: [...leagues.keys()] }, signal);
  const before = given(search);
  const names = new Map(form.leagues.map((league) => [league.league_id, league]));
  const without = (id) => startAddress({
    chunks: [...leagues].flatMap(([league, seasons]) => (league === id ? [] : seasons.map((season) => `${league}_${season}`))),
    leagues: [...leagues].filter(([league, seasons]) => league !== id && !seasons.length).map(([league]) => league),
    params: before,
  });
  const chosenLine = ([id, seasons]) => {
    const league = names.get(id);
    const season = (key) => league?.seasons.find((one) => one.season_id === key)?.name ?? `season ${key}`;
    return h("li", {}, h("a", { href: `#/league/${id}` }, league?.name ?? `League ${id}`), `: ${seasons.length ? seasons.map(season).join(", ") : "all seasons with something due"} `, leagues.size > 1 ? h("a", { href: without(id) }, "leave out") : null);
  };
  const problems = h("div", { id: "problems", role: "alert" });
  const tell = (...items) => problems.replaceChildren(...(items.length ? [h("ul", { class: "plainlist" }, items)] : []));
  const progress = h("p", { role: "status", id: "progress" });
  const refused = [
    ...form.unknown.map((id) => sentence(`League ${id} is not followed.`, "Leave it out, or add it to the catalog.")),
    ...form.leagues.filter((league) => !league.may_start).map((league) => sentence(`Your Airflow role may not trigger ${league.dag_id}, the DAG of ${league.name}.`, "Ask an Airflow administrator for the permission.")),
  ];
  tell(...refused);
  const buttons = [["Estimate", true], ["Collect", false]].map(([label, dry]) => h("button", { type: "submit", class: dry ? "" : "primary", value: dry ? "estimate" : "collect", disabled: refused.length > 0 }, label));
  const busy = (on) => { for (const button of buttons) button.disabled = on; };

  async function submit(event) {
    event.preventDefault();
    tell();
    busy(true);
    try {
      const params = { ...values(form.fields), ...(event.submitter?.value === "collect" ? {} : { dry_run: true }) };
      progress.textContent = "Checking…";
      const plan = await send("runs/check", { leagues: [...leagues].map(([league_id, seasons]) => ({ league_id, seasons })), params });
      const found = plan.problems.map((one) => sentence(one.detail, one.hint));
      if (!found.length) found.push(...await unfit(plan.runs));
      if (found.length) { tell(...found, h("li", {}, "Nothing was started.")); return; }
      await begin(plan);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      tell(sentence(error.message, error.hint));
    } finally {
      progress.textContent = "";
      busy(false);
    }
  }

  // DAGs of which no run could begin, before the first one is started.
  async function unfit(runs) {
    const found = [];
    for (let first = 0; first < runs.length; first += AT_ONCE) {
      const part = runs.slice(first, first + AT_ONCE);
      const results = await Promise.allSettled(part.map((run) => requireRunnable(run.dag_id)));
      results.forEach((result, n) => { if (result.status === "rejected") found.push(sentence(result.reason.message, result.reason.hint, part[n].dag_id)); });
    }
    return found;
  }

  async function begin(plan) {
    const found = [];
    let begun = 0;
    for (const run of plan.runs) {
      progress.textContent = `Starting ${begun + 1} of ${plan.runs.length}…`;
      try {
        await trigger(run.dag_id, plan.run_id, run.conf);
        begun += 1;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        found.push(sentence(error.message, error.hint, run.dag_id));
      }
    }
    if (!found.length) { go(`#/backfill/${plan.run_id}`); return; }
    const rest = begun ? h("li", {}, h("a", { href: `#/backfill/${plan.run_id}` }, `${begun} of ${plan.runs.length} runs were started`), ".") : h("li", {}, "Nothing was started.");
    tell(...found, rest);
  }

  const drawn = (fields) => h("div", { class: "fields" }, fields.map((field) => input(field, before[field.name])));
  const first = form.fields.filter((field) => FIRST.includes(field.name));
  const more = form.fields.filter((field) => !FIRST.includes(field.name));
  return h("div", { class: "stack" }, card("Estimate or collect",
    h("ul", { class: "plainlist" }, [...leagues].map(chosenLine)),
    h("form", { class: "stack", novalidate: "", onsubmit: submit },
      drawn(first),
      more.length ? h("details", { id: "more", open: more.some((field) => field.name in before) }, h("summary", {}, "More"), drawn(more)) : null,
      problems,
      h("p", { class: "row wrap" }, buttons, progress),
      h("p", { class: "dim" }, "Estimate reads the season indexes and shows fixtures, calls and minutes; it stores no fixture. Collect does the work. Both are runs of the leagues' DAGs in Airflow, one per league, under your name."))));
}
