// The matrix of who can pull and push what. Everything else on the page is in its HTML.
// Texts from outside reach the page by textContent alone. What is shown is in the fragment, so that a link shows it again.
"use strict";

const ROWS = 25, COLUMNS = 8, NAMES = 3;
const WHOEVER = -1, REPOSITORY = -2;
const DAYS_AHEAD = 30 * 24 * 3600 * 1000;
const GROUNDS = {
  "none": "NOT IN SPEC",
  "spec": "the spec gives it",
  "also-allowed": "also_allowed in the spec covers it",
  "administrator": "an administrator of an account of the spec",
  "own": "a role of ecr-warden's, or one that only AWS can use",
  "unnamed": "the spec does not name the repository",
};
const RANK = { "none": 0, "spec": 1, "also-allowed": 2, "unnamed": 3, "administrator": 4, "own": 5 };
const CANS = { "yes": "can", "conditional": "can under conditions", "unknown": "may be able to" };

const { matrix, ends, madeAt, accounts, conditions } = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const form = element("filters"), table = element("matrix"), dialog = element("detail");

const rows = matrix.rows.map((row, number) => {
  const [, account, region, ...name] = row.target.split("/");
  return { ...row, number, account, region, name: name.join("/"), text: row.target.toLowerCase() };
});
const principals = matrix.principals.map((one, number) => ({ ...one, number, text: one.name.toLowerCase() }));
const byTarget = new Map(rows.map((row) => [row.target, row]));
const byName = new Map(principals.map((one) => [one.name, one]));
const statements = new Map(matrix.statements.map(([holder, policy, number, text]) =>
  [[matrix.texts[holder], matrix.texts[policy], number].join("\n"), matrix.texts[text]]));
const endOf = new Map(ends.flatMap((end) =>
  end.principal === null ? [] : end.rows.map((row) => [`${row} ${end.principal} ${end.access}`, end.until])));
const endsIn = Map.groupBy([...endOf].map(([key, until]) => [key.split(" "), until]), ([[row]]) => Number(row));

// The places that runs take: how many to skip, how many to take, and so on.
function taken(runs) {
  const found = [];
  let at = 0;
  runs.forEach((length, index) => {
    for (let place = at; index % 2 && place < at + length; place++) found.push(place);
    at += length;
  });
  return found;
}

const membersOf = matrix.groups.map((group) => taken(group.runs));

// ---- what is shown: the view, from and to the fragment

const EMPTY = { q: "", account: "", team: "", access: "", unhealthy: "", unknown: "", expiring: "", extra: "", maybe: "", row: "0", col: "0", open: "", who: "" };

function viewOfFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(Object.keys(EMPTY).map((name) => [name, given.get(name) ?? EMPTY[name]]));
}

function fragmentOf(view) {
  const kept = Object.entries(view).filter(([name, value]) => value !== EMPTY[name]);
  return "#" + new URLSearchParams(kept).toString();
}

let view = viewOfFragment();

function go(change, { replace = false, opened = false } = {}) {
  view = { ...view, ...change };
  if (replace) history.replaceState(history.state, "", fragmentOf(view));
  else history.pushState({ opened }, "", fragmentOf(view));
  render();
}

window.addEventListener("popstate", () => {
  view = viewOfFragment();
  render();
});

// ---- filtering

function cellsOf(row) {
  // A Map from a principal's number to its ways, by access.
  const found = new Map();
  for (const place of taken(row.groups ?? [])) {
    const { access, way } = matrix.groups[place];
    for (const member of membersOf[place]) {
      if (!found.has(member)) found.set(member, {});
      found.get(member)[access] = matrix.ways[way];
    }
  }
  return found;
}

const hasCondition = (row, status) => (row.health ?? []).some((place) => matrix.conditions[place].status === status);
const isUnknown = (row) => row.unread || row.groups === null || hasCondition(row, "unknown");

function isExpiring(row, member, access) {
  const until = endOf.get(`${row.number} ${member} ${access}`);
  return until !== undefined && Date.parse(until) - Date.parse(madeAt) <= DAYS_AHEAD;
}

function filtered() {
  const terms = view.q.toLowerCase().split(/\s+/).filter(Boolean);
  const wantsCells = view.team || view.access || view.expiring || view.extra || view.maybe;
  const fits = principals.map((one) => !view.team || one.teams.includes(view.team));
  const shown = [];
  for (const row of rows) {
    if (view.unhealthy && !hasCondition(row, "false")) continue;
    if (view.unknown && !isUnknown(row)) continue;
    const missing = terms.filter((term) => !row.text.includes(term));
    const isHere = !view.account || row.account === view.account;
    const cells = new Map();
    for (const [member, ways] of cellsOf(row)) {
      const one = principals[member];
      if (!fits[member] || !(isHere || one.account === view.account)) continue;
      if (!missing.every((term) => one.text.includes(term))) continue;
      const kept = Object.entries(ways).filter(([access, way]) =>
        (!view.access || access === view.access) && (!(view.extra || view.maybe) ||
          (way.ground === "none" && (way.answer === "unknown" ? view.maybe : view.extra))) &&
        (!view.expiring || isExpiring(row, member, access)));
      if (kept.length) cells.set(member, Object.fromEntries(kept));
    }
    if (cells.size || (!wantsCells && isHere && !missing.length)) shown.push({ row, cells, missing });
  }
  return shown;
}

// Repositories with the same access and the same conditions are one row; `rows`: all of it.
function together(shown) {
  const alike = ({ row, missing }) => JSON.stringify([row.account, row.region, row.groups, row.unread, row.observed, missing,
    (row.health ?? []).map((place) => matrix.conditions[place].status),
    (endsIn.get(row.number) ?? []).map(([[, ...who], until]) => [who, until])]);
  return [...Map.groupBy(shown, alike).values()].map((same) => ({ ...same[0], rows: same.map(({ row }) => row) }));
}

// ---- making elements

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const aliases = new Map(accounts.map(({ id, alias }) => [id, alias]));
const nameOf = (id) => aliases.get(id) ? `${aliases.get(id)} (${id})` : id;

// In the heads of the table, which are narrow; the ARN of a title, and a detail, have the ID.
const briefly = (id) => aliases.get(id) || id;

// A name that may be broken after its separators, and nowhere else.
function breakable(text) {
  return text.split(/(?<=[\/:._@-])/).flatMap((part, index) => index ? [document.createElement("wbr"), part] : [part]);
}

// `user/ci/builder` for an ARN of IAM or STS.
const short = (name) => /^arn:[^:]*:(iam|sts)::/.test(name) ? name.split(":").slice(5).join(":") : name;
const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const gravest = (ways) => Object.values(ways).map((way) => way.ground).sort((a, b) => RANK[a] - RANK[b])[0];

function cellButton({ row, rows: same }, one, ways) {
  const where = same.length > 1 ? `${row.name} and ${same.length - 1} more` : row.name;
  const parts = Object.entries(ways).map(([access, { ground, answer }]) => ({ access, ground, isCertain: answer === "yes" }));
  const said = parts.map(({ access, ground, isCertain }) => `${access}, ${GROUNDS[ground]}${isCertain ? "" : ", not certain"}`);
  const label = `${one.name} on ${where}: ${said.join("; ")}`;
  const shown = parts.map(({ access, ground, isCertain }) =>
    make("span", { class: `way ${ground}` }, `${ground === "none" ? "! " : ""}${access}${isCertain ? "" : " ?"}`));
  const button = make("button", { type: "button", class: `cell ${gravest(ways)}`, "aria-label": label, title: label }, ...shown);
  button.addEventListener("click", () => go({ open: row.target, who: one.name }, { opened: true }));
  return button;
}

function nameButton(row) {
  const button = make("button", { type: "button", class: "name" }, ...breakable(row.name));
  button.addEventListener("click", () => go({ open: row.target, who: "" }, { opened: true }));
  return button;
}

// What is not as it should be: [the class of its mark, words].
function marksOf(row) {
  const marks = (row.health ?? []).map((place, index) => [matrix.conditions[place].status, conditions[index]])
    .filter(([status]) => status !== "true").map(([status, words]) => [status, words[status]]);
  if (row.unread) marks.push(["unknown", "policy not read"]);
  if (row.groups === null) marks.push(["unknown", "no room on this page"]);
  if (row.observed) marks.push(["unnamed", "only observed"]);
  if (!(row.health ?? []).length) marks.push(["unnamed", "not in the spec"]);
  return marks;
}

function rowHead({ row, rows: same, cells }) {
  const rest = same.slice(NAMES);
  const more = rest.length ? [make("details", {}, make("summary", {}, `and ${rest.length.toLocaleString("en")} more`),
    rest.map((one) => one.name).join(", "))] : [];
  const number = same.length > 1 ? `${counted(same.length, "repository", "repositories")}, ` : "";
  const where = `${briefly(row.account)} ${row.region}, ${number}${counted(cells.size, "principal")}`;
  const marks = marksOf(row).map(([kind, words]) => make("span", { class: `mark ${kind}` }, words));
  return make("th", { scope: "row" }, ...same.slice(0, NAMES).map(nameButton), ...more, make("small", {}, where), ...marks);
}

// ---- the table

// What is unknown comes last; outsiders first, of these what is certain, and anybody on the internet before others.
function rankOf(member, ways) {
  const { name, account } = principals[member], isOurs = accounts.some(({ id }) => id === account);
  const answers = Object.values(ways).map((way) => way.answer), isCertain = answers.includes("yes");
  const isUnknown = answers.every((answer) => answer === "unknown");
  return (isUnknown ? 64 : 0) + RANK[gravest(ways)] * 8 + (isOurs ? 4 : 0) + (isCertain ? 0 : 2) + (/^(\*|anyone|anybody without)/.test(name) ? 0 : 1);
}

function columnsOf(shown) {
  const ranks = new Map(), sizes = new Map();
  for (const { cells } of shown) {
    for (const [member, ways] of cells) {
      ranks.set(member, Math.min(ranks.get(member) ?? 999, rankOf(member, ways)));
      sizes.set(member, (sizes.get(member) ?? 0) + 1);
    }
  }
  return [...ranks.keys()].sort((a, b) => ranks.get(a) - ranks.get(b) || sizes.get(b) - sizes.get(a) || a - b);
}

// The start of the page of a table that has a position of the fragment.
function startOf(text, size, length) {
  const at = Math.max(0, Math.min(Number.parseInt(text, 10) || 0, length - 1));
  return at - (at % size);
}

// A cell that was opened keeps its button, and so gets the focus back.
let drawn = "";

function render() {
  const wanted = fragmentOf({ ...view, open: "", who: "" });
  if (wanted !== drawn) draw();
  drawn = wanted;
  showDetail();
}

function draw() {
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = view[field.name] === "1";
    else if (field.name && field.value !== view[field.name]) field.value = view[field.name];
  }
  const shown = filtered(), lines = together(shown);
  const top = startOf(view.row, ROWS, lines.length);
  const page = lines.slice(top, top + ROWS);
  const columns = columnsOf(page);
  const left = startOf(view.col, COLUMNS, columns.length);
  const visible = columns.slice(left, left + COLUMNS).map((member) => principals[member]);
  table.setAttribute("aria-rowcount", lines.length + 1);
  table.setAttribute("aria-colcount", columns.length + 1);
  const head = make("tr", { "aria-rowindex": 1 }, make("th", { scope: "col", "aria-colindex": 1 }, "Repository"),
    ...visible.map((one, index) => make("th", { scope: "col", title: one.name, "aria-colindex": left + index + 2 },
      ...breakable(short(one.name)), make("small", {}, [briefly(one.account), ...one.teams].filter(Boolean).join(" ")))));
  const cellOf = (line, one) => line.cells.has(one.number) ? [cellButton(line, one, line.cells.get(one.number))] : [];
  const body = page.map((line, index) => make("tr", { "aria-rowindex": top + index + 2 }, rowHead(line),
    ...visible.map((one) => make("td", {}, ...cellOf(line, one)))));
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...body);
  const accesses = shown.reduce((sum, { cells }) =>
    sum + [...cells.values()].reduce((more, ways) => more + Object.keys(ways).length, 0), 0);
  element("count").textContent = shown.length
    ? `${counted(accesses, "access", "accesses")} in ${shown.length.toLocaleString("en")} of ` +
      counted(rows.length, "repository", "repositories")
    : "Nothing fits these filters.";
  pager("rows", top, page.length, lines.length, ROWS, "row");
  pager("columns", left, visible.length, columns.length, COLUMNS, "col");
}

function pager(id, start, length, total, size, name) {
  const box = element(id);
  box.hidden = total <= size;
  box.querySelector("span").textContent = `${start + 1} to ${start + length} of ${total.toLocaleString("en")}`;
  const [before, after] = box.querySelectorAll("button");
  before.setAttribute("aria-disabled", start === 0);
  after.setAttribute("aria-disabled", start + length >= total);
  const more = name === "row" ? { col: "0" } : {};
  before.onclick = () => start > 0 && go({ ...more, [name]: String(start - size) });
  after.onclick = () => start + length < total && go({ ...more, [name]: String(start + size) });
}

// ---- on paper: what the filters leave, in words, for a table as wide as the matrix is cut off

let closed = [];

function print() {
  element("printed").replaceChildren(...setsOf(filtered()).map(sectionOf));
  closed = [...closed, ...document.querySelectorAll("section:not(:has(#matrix)) details:not([open])")];
  for (const one of closed) one.open = true;
}

function unprint() {
  element("printed").replaceChildren();
  for (const one of closed) one.open = false;
  closed = [];
}

const onPaper = window.matchMedia("print");
onPaper.addEventListener("change", () => onPaper.matches ? print() : unprint());
window.addEventListener("beforeprint", print);
window.addEventListener("afterprint", unprint);

// Sets of repositories, each with what is said of all of it and of no other repository, so that all is said once.
function setsOf(shown) {
  const items = new Map();
  const say = (row, kind, rank, text, member = null) => {
    const key = `${member} ${kind} ${text}`;
    if (!items.has(key)) items.set(key, { kind, rank, text, member, of: [] });
    items.get(key).of.push(row);
  };
  for (const { row, cells } of shown) {
    for (const [kind, words] of marksOf(row)) say(row, kind, -1, words);
    if (!cells.size && row.groups !== null) say(row, "", 999, "Nobody has access that is known");
    for (const [member, ways] of cells) {
      for (const [text, ground] of saidOf(row, member, ways)) say(row, ground, rankOf(member, ways), text, member);
    }
  }
  const sets = Map.groupBy(items.values(), ({ of }) => of.map((row) => row.number).join());
  const gravestIn = (found) => Math.min(...found.filter(({ member }) => member !== null).map(({ rank }) => rank), 998);
  return [...sets.values()].sort((a, b) => gravestIn(a) - gravestIn(b) || b[0].of.length - a[0].of.length);
}

// [words, ground]: what somebody can do with a repository; pull and push in the same words are one.
function saidOf(row, member, ways) {
  const said = Map.groupBy(Object.entries(ways), ([access, { answer, ground }]) =>
    [CANS[answer], ground, endOf.get(`${row.number} ${member} ${access}`) ?? ""].join("|"));
  return [...said].map(([key, found]) => {
    const [can, ground, until] = key.split("|");
    return [`${can} ${found.map(([access]) => access).join(" and ")}: ${GROUNDS[ground]}${until && `, until ${until.replace("+00:00", "Z")}`}`, ground];
  });
}

function sectionOf(items) {
  const rows = items[0].of, every = [...items].sort((a, b) => a.rank - b.rank);
  const places = Map.groupBy(rows, (row) => `${nameOf(row.account)} ${row.region}`);
  const listed = [...places].map(([place, found]) => `${place}: ${found.map((row) => row.name).join(", ")}`).join("; ");
  return make("div", { class: "set" }, make("h3", {}, counted(rows.length, "repository", "repositories")),
    make("p", { class: "where" }, listed), ...[...Map.groupBy(every, ({ text }) => text)].map(([text, found]) => {
      const people = found.filter(({ member }) => member !== null).map(({ member }) => principals[member]);
      const number = people.length > 1 ? `${counted(people.length, "principal")} ` : "";
      const named = [...Map.groupBy(people, (one) => one.account)].map(([account, of]) =>
        `${account && `${nameOf(account)}: `}${of.map((one) => short(one.name)).join(", ")}`).join("; ");
      return make("p", { class: found[0].kind }, make("strong", {}, `${number}${text}`), named && ` ${named}`);
    }));
}

// Who has access, the gravest first, one paragraph each.
function peopleOf(cells) {
  return [...cells].sort(([one, a], [other, b]) => rankOf(one, a) - rankOf(other, b)).map(([member, ways]) => {
    const words = Object.entries(ways).map(([access, way]) => `${CANS[way.answer]} ${access}: ${GROUNDS[way.ground]}`);
    return make("p", { class: gravest(ways) }, `${principals[member].name} ${words.join("; ")}`);
  });
}

// ---- one cell or one repository

function showDetail() {
  const row = byTarget.get(view.open), one = byName.get(view.who);
  if (!row || (view.who && !one)) {
    if (dialog.open) dialog.close();
    return;
  }
  const content = one ? detailOfCell(row, one) : detailOfRow(row);
  element("detail-title").textContent = one ? `${short(one.name)} on ${row.name}` : row.name;
  element("detail-body").replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
}

function detailOfCell(row, one) {
  const ways = cellsOf(row).get(one.number);
  const where = make("p", { class: "where" }, `${one.name} on ${row.target}`);
  if (!ways) return [where, make("p", {}, "has no access.")];
  return [where, ...Object.entries(ways).flatMap(([access, way]) => {
    const until = endOf.get(`${row.number} ${one.number} ${access}`);
    const chain = [one.name, ...way.through?.map((place) => matrix.texts[place]) ?? [], row.target];
    return [
      make("h3", { class: way.ground }, `${CANS[way.answer]} ${access}: ${GROUNDS[way.ground]}`),
      ...until ? [make("p", {}, `The grant ends at ${until}.`)] : [],
      make("ol", { class: "chain", "aria-label": "The chain" }, ...chain.map((text) => make("li", {}, text))),
      ...way.conditions?.map((place) => make("p", {}, `if ${matrix.texts[place]}`)) ?? [],
      ...way.because?.flatMap((because) => statementOf(because, row, one)) ?? [],
    ];
  })];
}

function statementOf({ policy, allows, holder = WHOEVER, statement = 0 }, row, one) {
  const name = matrix.texts[policy], what = `allows ${matrix.texts[allows]}`;
  if (!statement) return [make("p", {}, `${name} ${what}`)];
  const owner = holder === WHOEVER ? one.name : holder === REPOSITORY ? row.target : matrix.texts[holder];
  const text = statements.get([owner, name, statement].join("\n"));
  const line = make("p", {}, `Statement ${statement} of ${name} of ${short(owner)} ${what}`);
  const shown = text === undefined ? "(there was no room for the statement on this page)" : JSON.stringify(JSON.parse(text), null, 2);
  return [line, make("pre", { tabindex: "0", role: "group", "aria-label": `statement ${statement} of ${name}` }, shown)];
}

function detailOfRow(row) {
  const health = (row.health ?? []).map((place, index) => {
    const { status, message, since } = matrix.conditions[place];
    return make("li", { class: status }, `${conditions[index][status]}: ${message}, since ${since}`);
  });
  return [
    make("p", { class: "where" }, row.target),
    ...row.unread ? [make("p", { class: "unknown" }, row.unread)] : [],
    ...health.length ? [make("ul", {}, ...health)] : [make("p", {}, "The spec does not name this repository.")],
    make("h3", {}, row.groups === null ? "Who has access is not on this page: there was no room" : "Who has access"),
    ...peopleOf(cellsOf(row)),
    ...alsoOf(row),
  ];
}

// The repositories that are one row with this one where nothing is filtered.
function alsoOf(row) {
  const { rows: same } = together(rows.map((one) => ({ row: one, missing: [] }))).find((line) => line.rows.includes(row));
  const others = same.filter((one) => one !== row).map((one) => one.name);
  return others.length ? [make("p", { class: "where" }, `The same holds of ${others.join(", ")}.`)] : [];
}

// Closing goes back to where it was opened, if that was here.
function leaveDetail() {
  if (history.state?.opened) history.back();
  else go({ open: "", who: "" }, { replace: true });
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  leaveDetail();
});
element("close").addEventListener("click", leaveDetail);

// ---- the filters

const options = (id, values) => element(id).append(...values.map(([value, text]) => make("option", { value }, text)));
options("account", accounts.map(({ id, alias }) => [id, alias ? `${alias} (${id})` : id]));
options("team", [...new Set(principals.flatMap((one) => one.teams))].sort().map((team) => [team, team]));

form.addEventListener("input", (event) => {
  const field = event.target;
  const value = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
  go({ [field.name]: value, row: "0", col: "0" }, { replace: field.type === "search" });
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  go({ ...EMPTY });
});

const age = Date.now() - Date.parse(madeAt);
const hours = Math.floor(age / 3600000);
element("age").textContent = hours < 1 ? "" : hours < 48 ? `, ${counted(hours, "hour")} ago` : `, ${counted(Math.floor(hours / 24), "day")} ago`;
element("age").className = hours < 48 ? "" : "stale";

render();
document.documentElement.dataset.ready = "1";
