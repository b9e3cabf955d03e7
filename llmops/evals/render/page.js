"use strict";
// Everything a case holds is shown through `textContent`; nothing here builds HTML from text.
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const records = JSON.parse(document.getElementById("records").textContent);
  const byId = (id) => document.getElementById(id);
  const SIGNS = { passed: "✓", failed: "✗", unscored: "○", error: "!" };
  const WORDS = { passed: "passed", failed: "failed", unscored: "unscored", error: "errors" };
  const RANK = { error: 0, failed: 1, unscored: 2, passed: 3 };
  const SLICE = 100;
  const COLUMNS = 6; // checks that have a column of their own
  const checks = new Map(facts.checks.map((check) => [check.name, check]));

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const sign = (outcome) => el("span", { class: `sign ${outcome}`, role: "img", "aria-label": outcome }, SIGNS[outcome]);
  // Half of a surrogate pair, which an address cannot hold, is replaced.
  const anchor = (record) =>
    `case-${record.case.replace(/[\ud800-\udfff]/gu, "\ufffd")}${facts.repeats > 1 ? `~${record.repeat + 1}` : ""}`;
  const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  const tokens = (record) => record.usage.input_tokens + record.usage.output_tokens;

  function score(value, unit) {
    if (value === null || value === undefined) return "-";
    if (unit === "s") return Math.abs(value) < 0.9995 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
    if (!unit && Math.abs(value) <= 1) return value.toFixed(3);
    return Number.isInteger(value) || Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
  }

  // --- what is shown -----------------------------------------------------------------------
  const state = { words: [], outcome: "", check: "", tag: "", sort: "", down: false, shown: SLICE };
  const open = new Set();
  const rows = new Map();
  let found = records;
  records.forEach((record, index) => {
    record.index = index;
    record.by = new Map(record.verdicts.map((verdict) => [verdict.check, verdict]));
  });

  function searchable(record) {
    if (record.words === undefined) {
      const parts = [record.case, record.output, record.error, ...record.tags, ...record.contexts];
      parts.push(...Object.values(record.inputs).map(asText), asText(record.expected));
      parts.push(...record.verdicts.map((verdict) => verdict.rationale));
      record.words = parts.join("\n").toLowerCase();
    }
    return record.words;
  }

  const outcomeOf = (record) => (state.check ? record.by.get(state.check)?.outcome : record.outcome);
  const within = (record) =>
    (!state.tag || record.tags.includes(state.tag)) &&
    (!state.check || record.by.has(state.check)) &&
    state.words.every((word) => searchable(record).includes(word));

  function sortKey(record) {
    if (state.sort === "outcome") return RANK[outcomeOf(record)];
    if (state.sort === "case") return record.case;
    if (state.sort === "output") return record.output === null ? null : record.output.length;
    if (state.sort === "latency") return record.latency;
    if (state.sort === "tokens") return tokens(record) || null;
    return record.by.get(state.sort.slice(6))?.value ?? null;
  }

  function compare(a, b) {
    const [one, two] = [sortKey(a), sortKey(b)];
    if (one === null || two === null) return (one === null) - (two === null) || a.index - b.index;
    const order = typeof one === "string" ? one.localeCompare(two, "en", { numeric: true }) : one - two;
    return (state.down ? -order : order) || a.index - b.index;
  }

  function update() {
    const near = records.filter(within);
    found = state.outcome ? near.filter((record) => outcomeOf(record) === state.outcome) : near;
    if (state.sort) found = [...found].sort(compare);
    const counts = { "": near.length };
    for (const record of near) counts[outcomeOf(record)] = (counts[outcomeOf(record)] || 0) + 1;
    for (const chip of byId("outcomes").children) {
      chip.setAttribute("aria-pressed", String(chip.dataset.outcome === state.outcome));
      chip.lastChild.textContent = (counts[chip.dataset.outcome] || 0).toLocaleString("en");
    }
    for (const heading of document.querySelectorAll("#explorer thead th")) {
      if (heading.dataset.key !== state.sort) heading.removeAttribute("aria-sort");
      else heading.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    }
    state.shown = SLICE;
    body.replaceChildren();
    rows.clear();
    draw();
  }

  // --- the table ---------------------------------------------------------------------------
  const body = document.querySelector("#explorer tbody");
  const columns = facts.checks.slice(0, COLUMNS);
  const timed = !columns.some((check) => check.name === "latency"); // else the check is the column

  function headings() {
    const heading = (key, label, kind) =>
      el("th", { scope: "col", "data-key": key, class: kind },
        el("button", { type: "button", title: `Sort by ${label}`, onclick: () => sortBy(key) },
          kind === "col-outcome" ? el("span", { class: "hidden" }, label) : label));
    return el("tr", null,
      heading("outcome", "outcome", "col-outcome"), heading("case", "case", "col-case"),
      ...columns.map((check) => heading(`check:${check.name}`, check.name, "col-number num")),
      ...(timed ? [heading("latency", "time", "col-number num")] : []), heading("tokens", "tokens", "col-number num"),
      heading("output", "output", "col-output"));
  }

  function sortBy(key) {
    const check = checks.get(key.slice(6));
    const firstDown = key === "latency" || key === "tokens" || key === "output" || (check && !check.higher);
    if (state.sort !== key) [state.sort, state.down] = [key, Boolean(firstDown)];
    else if (state.down === Boolean(firstDown)) state.down = !state.down;
    else state.sort = "";
    update();
  }

  function scoreCell(record, check) {
    const verdict = record.by.get(check.name);
    if (!verdict) return el("td", { class: "num" }, "-");
    const plain = !check.rule && verdict.outcome === "passed";
    return el("td", { class: `num cell ${plain ? "measured" : verdict.outcome}`, title: verdict.rationale || null },
      score(verdict.value, check.unit), plain ? null : el("i", { "aria-label": verdict.outcome, role: "img" }, SIGNS[verdict.outcome]));
  }

  function rowOf(record) {
    const toggle = el("button", { type: "button", class: "name", "aria-expanded": "false", title: record.case },
      record.case, facts.repeats > 1 ? el("small", null, ` · ${record.repeat + 1}`) : null);
    const said = record.output === null ? record.error || "" : record.output;
    const row = el("tr", { class: `row ${record.outcome}`, id: anchor(record) },
      el("td", null, sign(record.outcome)), el("th", { scope: "row" }, toggle),
      ...columns.map((check) => scoreCell(record, check)),
      timed ? el("td", { class: "num" }, score(record.latency, "s")) : "",
      el("td", { class: "num" }, tokens(record) ? tokens(record).toLocaleString("en") : "-"),
      el("td", { class: `text snippet ${record.output === null ? "error" : ""}` }, said.slice(0, 240)));
    row.addEventListener("click", () => {
      if (!String(getSelection())) expand(record, !open.has(record));
    });
    rows.set(record, { row, toggle });
    return row;
  }

  function draw() {
    const next = found.slice(body.querySelectorAll("tr.row").length, state.shown);
    body.append(...next.map(rowOf));
    for (const record of next) if (open.has(record)) expand(record, true, false);
    const left = found.length - state.shown;
    byId("more").hidden = left <= 0;
    byId("more").textContent = `Show ${Math.min(left, SLICE)} more of ${left.toLocaleString("en")}`;
    byId("nothing").hidden = found.length > 0;
    byId("count").textContent = found.length === records.length
      ? `${records.length.toLocaleString("en")} results`
      : `${found.length.toLocaleString("en")} of ${records.length.toLocaleString("en")} results`;
  }

  function more() {
    state.shown += SLICE;
    draw();
  }

  function expand(record, wanted, remember = true) {
    const { row, toggle } = rows.get(record);
    const there = row.nextElementSibling?.classList.contains("detail") ? row.nextElementSibling : null;
    row.classList.toggle("open", wanted);
    toggle.setAttribute("aria-expanded", String(wanted));
    if (wanted) {
      open.add(record);
      if (!there) row.after(detail(record));
    } else {
      open.delete(record);
      there?.remove();
    }
    if (remember) {
      const hash = wanted ? `#${encodeURIComponent(anchor(record))}` : location.pathname + location.search;
      try { history.replaceState(null, "", hash); } catch { /* a page from a file may not */ }
    }
  }

  // --- one case ----------------------------------------------------------------------------
  function block(title, text, kind) {
    return [el("h4", null, title), el("pre", { class: kind || null, tabindex: "0", dir: "auto" }, text)];
  }

  function detail(record) {
    const left = el("div");
    const inputs = Object.entries(record.inputs);
    for (const [name, value] of inputs) left.append(...block(name, asText(value), typeof value === "string" ? "" : "code"));
    record.contexts.forEach((context, index) => {
      const same = inputs.find(([, value]) => value === context);
      const title = record.contexts.length > 1 ? `context ${index + 1}` : "context";
      if (same) left.append(el("h4", null, `${title}: the same text as ${same[0]}`));
      else left.append(...block(title, context));
    });
    const right = el("div");
    if (record.error) right.append(...block("error", record.error, "problem"));
    if (record.output !== null) {
      right.append(el("h4", null, "output"), el("pre", { tabindex: "0", dir: "auto" }, ...highlighted(record)));
    }
    if (record.expected !== null) {
      const texts = Array.isArray(record.expected) && record.expected.every((each) => typeof each === "string");
      right.append(...block(texts && record.expected.length > 1 ? "expected, any of" : "expected",
        texts ? record.expected.join("\n") : asText(record.expected)));
    }
    right.append(el("h4", null, "checks"), el("ul", { class: "verdicts" }, ...record.verdicts.map((verdict) => judged(verdict, right))));
    right.append(aside(record));
    const width = columns.length + 4 + timed;
    return el("tr", { class: `detail ${record.outcome}` }, el("td", { colspan: String(width) }, el("div", { class: "panes" }, left, right)));
  }

  function judged(verdict, pane) {
    const check = checks.get(verdict.check) || { unit: "", rule: null };
    const spanned = verdict.spans.length > 0;
    const line = el("li", { class: spanned ? "spanned" : null }, sign(verdict.outcome),
      el("span", null, el("b", null, verdict.check), check.rule ? el("code", null, check.rule) : null),
      el("b", null, score(verdict.value, check.unit)),
      verdict.rationale ? el("span", { class: "why", dir: "auto" }, verdict.rationale) : null);
    const light = (on) => {
      for (const mark of pane.querySelectorAll("mark")) {
        mark.classList.toggle("lit", on && JSON.parse(mark.dataset.checks).includes(verdict.check));
      }
    };
    if (spanned) {
      line.addEventListener("mouseenter", () => light(true));
      line.addEventListener("mouseleave", () => light(false));
    }
    return line;
  }

  // Spans count characters as Python does: one for an emoji, where JavaScript counts two.
  function highlighted(record) {
    const letters = Array.from(record.output);
    const edges = new Set([0, letters.length]);
    const spans = record.verdicts.flatMap((verdict) => verdict.spans.map(([from, to]) => [from, Math.min(to, letters.length), verdict.check]));
    for (const [from, to] of spans) if (from < to) edges.add(from).add(to);
    const sorted = [...edges].sort((a, b) => a - b);
    return sorted.slice(0, -1).map((from, index) => {
      const text = letters.slice(from, sorted[index + 1]).join("");
      const names = [...new Set(spans.filter(([start, end]) => start <= from && from < end).map((span) => span[2]))];
      return names.length ? el("mark", { title: names.join(", "), "data-checks": JSON.stringify(names) }, text) : text;
    });
  }

  function aside(record) {
    const fact = (label, value) => el("span", null, `${label} `, el("b", null, value));
    const list = el("p", { class: "facts" });
    if (record.latency !== null) list.append(fact("time", score(record.latency, "s")));
    if (tokens(record)) list.append(fact("tokens", `${record.usage.input_tokens} in, ${record.usage.output_tokens} out`));
    if (record.usage.cost !== null) list.append(fact("cost", String(record.usage.cost)));
    if (record.cached) list.append(el("span", null, "from the cache"));
    if (record.attempts > 1) list.append(fact("attempts", String(record.attempts)));
    if (record.finish_reason === "length") list.append(el("span", { class: "warn" }, "cut at the token limit"));
    else if (record.finish_reason) list.append(fact("finished by", record.finish_reason));
    list.append(...record.tags.map((tag) => el("span", { class: "tag" }, tag)));
    list.append(el("a", { href: `#${encodeURIComponent(anchor(record))}` }, "link to this case"));
    return list;
  }

  // --- controls ----------------------------------------------------------------------------
  function reset() {
    Object.assign(state, { words: [], outcome: "", check: "", tag: "" });
    for (const id of ["search", "by-check", "by-tag"]) byId(id).value = "";
    update();
  }

  function goTo(hash) {
    let wanted;
    try { wanted = decodeURIComponent(hash.slice(1)); } catch { return; }
    const record = records.find((each) => anchor(each) === wanted);
    if (!record) return;
    if (!found.includes(record)) reset();
    const at = found.indexOf(record);
    if (at >= state.shown) {
      state.shown = Math.ceil((at + 1) / SLICE) * SLICE;
      draw();
    }
    if (!open.has(record)) expand(record, true);
    rows.get(record).row.scrollIntoView({ block: "start" });
    rows.get(record).toggle.focus({ preventScroll: true });
  }

  function options(select, first, values) {
    select.append(el("option", { value: "" }, first), ...values.map((value) => el("option", { value }, value)));
  }

  function controls() {
    const chip = (outcome, label) =>
      el("button", { type: "button", class: outcome || null, "data-outcome": outcome, title: outcome ? `Only ${label}` : "All outcomes",
        onclick: () => { state.outcome = state.outcome === outcome ? "" : outcome; update(); } },
      outcome ? sign(outcome) : el("span", null, "all"), el("b", null, ""));
    byId("outcomes").append(chip("", "all"), ...Object.keys(WORDS).map((outcome) => chip(outcome, WORDS[outcome])));
    options(byId("by-check"), "all checks", [...checks.keys()]);
    const tags = [...new Set(records.flatMap((record) => record.tags))].sort();
    options(byId("by-tag"), "any", tags.slice(0, 500));
    byId("tag-label").hidden = tags.length === 0;
    byId("by-check").addEventListener("change", (event) => { state.check = event.target.value; update(); });
    byId("by-tag").addEventListener("change", (event) => { state.tag = event.target.value; update(); });
    let waiting;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
        update();
      }, 90);
    });
    byId("reset").addEventListener("click", reset);
    byId("more").addEventListener("click", more);
    new IntersectionObserver((seen) => { if (seen[0].isIntersecting && !byId("more").hidden) more(); }, { rootMargin: "400px" }).observe(byId("more"));
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        byId("search").focus();
      } else if (event.key === "Escape" && document.activeElement === byId("search")) reset();
    });
  }

  document.querySelector("#explorer thead").append(headings());
  controls();
  byId("explorer").hidden = false;
  update();
  if (location.hash) goTo(location.hash);
  addEventListener("hashchange", () => goTo(location.hash));
})();
