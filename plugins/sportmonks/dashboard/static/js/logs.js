// Log lines with filters; older ones are appended below.
import { h, card, clock, badge, empty, count, ago, downloads } from "./dom.js";
import { get, query } from "./api.js";

const FIELDS = ["level", "component", "execution_id", "chunk_id", "fixture_id", "text"];

function line(x) {
  const context = [
    x.execution_id ? h("a", { href: `#/run/${encodeURIComponent(x.execution_id)}` }, x.execution_id) : null,
    x.chunk_id ? h("a", { href: `#/logs${query({ chunk_id: x.chunk_id })}` }, `chunk ${x.chunk_id}`) : null,
    x.fixture_id ? h("a", { href: `#/fixture/${x.fixture_id}` }, `fixture ${x.fixture_id}`) : null,
    x.duration_ms !== null ? h("span", {}, `${count(Math.round(x.duration_ms))} ms`) : null,
    h("span", {}, x.component),
  ];
  return h("li", { class: `line ${x.level.toLowerCase()}`, "data-log": x.log_id },
    h("div", { class: "head" }, clock(x.timestamp), badge(x.level)),
    h("div", { class: "body" }, h("p", {}, x.message), h("p", { class: "context dim" }, context),
      x.details && Object.keys(x.details).length ? h("details", { id: `log-${x.log_id}` }, h("summary", {}, "details"), h("pre", {}, JSON.stringify(x.details, null, 2))) : null));
}

export async function logs({ search, signal, go }) {
  const filter = Object.fromEntries(FIELDS.map((name) => [name, search.get(name) ?? ""]));
  const [data, known] = await Promise.all([get("logs", filter, signal), get("filters", {}, signal)]);
  const list = h("ul", { class: "lines" }, data.rows.map(line));
  const state = h("p", { class: "pager" });
  const input = (name, label, props = {}) => h("label", {}, `${label} `, h("input", { id: `log-f-${name}`, name, value: filter[name], maxlength: 200, ...props }));
  const choose = (name, label, choices) => h("label", {}, `${label} `, h("select", { id: `log-f-${name}`, name, onchange: (e) => e.target.form.requestSubmit() }, choices.map(([value, shown]) => h("option", { value, selected: value === filter[name] }, shown))));
  const send = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    go(`#/logs${query(Object.fromEntries(FIELDS.map((name) => [name, String(form.get(name) ?? "").trim()])))}`);
  };
  let looked = 0;
  let steps = 0;
  const begun = data.rows.length || data.next;
  const more = (found) => {
    const thin = !found.rows.length && found.next;
    looked = thin ? looked + found.looked_at : 0;
    const words = thin ? `No match among ${count(looked)} lines back to ${ago(found.looked_back_to)}. ` : "";
    const button = found.next ? h("button", { type: "button", id: "log-older", onclick: async () => {
      button.disabled = true;
      const next = await get("logs", { ...filter, before: found.next }).catch((error) => { state.append(h("span", { class: "bad" }, ` ${error.message} ${error.hint ?? ""}`)); button.disabled = false; });
      if (!next) return;
      list.append(...next.rows.map(line));
      more(next);
    } }, found.rows.length ? "Older lines" : "Look further back") : null;
    // A page with few rows does not fill the view: the next pages are requested at once, up to a limit.
    if (thin && ++steps % 20 && button) setTimeout(() => button.isConnected && button.click());
    const end = found.next || !begun ? null : h("span", { class: "dim" }, list.children.length ? "That is all." : "No line matches.");
    const shown = begun && list.children.length && !thin ? h("span", { class: "dim" }, `${count(list.children.length)} lines${found.next ? ", and older ones" : ""}`) : null;
    state.replaceChildren(...[words, shown, button, end].filter(Boolean));
  };
  more(data);
  const filtered = FIELDS.some((name) => filter[name]);
  return h("div", { class: "stack" }, card("Logs",
    h("form", { class: "filters", role: "search", onsubmit: send },
      choose("level", "Level", [["", "all"], ["INFO", "INFO and above"], ["WARNING", "WARNING and above"], ["ERROR", "ERROR and above"], ["CRITICAL", "CRITICAL"]]),
      choose("component", "Component", [["", "all"], ...known.components.map((c) => [c, c])]),
      input("text", "Text", { type: "search", placeholder: "in message or details" }), input("execution_id", "Execution", { size: 24 }), input("chunk_id", "Chunk", { size: 10, placeholder: "league_season" }), input("fixture_id", "Fixture", { size: 10, inputmode: "numeric", pattern: "[0-9]*" }),
      h("button", { type: "submit" }, "Filter"), filtered ? h("a", { class: "button", href: "#/logs" }, "Clear") : null,
      downloads("logs", query(filter))),
    begun ? list : empty("No line matches.", filtered ? "Widen the filters." : "Runs write here; start one."), state));
}
