// Weights, price and ranking of a decision. The same arithmetic as analyse/decision/score.py:
// a test holds the two together.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("page-data").textContent).decision;
  const UNKNOWN = [0, 0.5, 1];
  const TOLERANCE = 1e-12;

  function costOf(rate, price) {
    return (price / (rate * 3600)) * 1e6;
  }

  // The scale of cost: from the budget where there is one, else from the cheapest stack.
  function costScale(price) {
    if (data.budget !== null) return { best: data.budget / data.span, worst: data.budget };
    if (!data.rates.length) return null;
    const best = Math.min(...data.rates.map((rate) => costOf(rate, price)));
    return { best, worst: best * data.span };
  }

  function worth(value, scale) {
    const raw = Math.log(value / scale.worst) / Math.log(scale.best / scale.worst);
    return Math.min(1, Math.max(0, raw));
  }

  function costUtility(stack, price) {
    if (!(price > 0) || stack.rate === null) return UNKNOWN;
    const scale = costScale(price);
    if (scale === null) return UNKNOWN;
    return stack.rate.map((rate) => worth(costOf(rate, price), scale));
  }

  function totalOf(stack, weights, price, whole) {
    const total = [0, 0, 0];
    for (const { key } of data.criteria) {
      const utility = key === "cost" ? costUtility(stack, price) : stack.utilities[key];
      for (let end = 0; end < 3; end += 1) total[end] += (weights[key] / whole) * utility[end];
    }
    return total;
  }

  // First to last. Without any weight there is no ranking: an empty list.
  function rank(weights, price) {
    const whole = data.criteria.reduce((sum, { key }) => sum + weights[key], 0);
    if (!(whole > 0)) return [];
    const rows = data.stacks.map((stack) => {
      const [low, point, high] = totalOf(stack, weights, price, whole);
      return { stack, low, point, high };
    });
    for (const mine of rows) {
      const others = rows.filter((row) => row !== mine);
      mine.best = 1 + others.filter((other) => other.low > mine.high + TOLERANCE).length;
      mine.worst = 1 + others.filter((other) => other.high >= mine.low - TOLERANCE).length;
    }
    const rounded = (row) => Math.round(row.point * 1e11);
    return rows.sort(
      (a, b) =>
        rounded(b) - rounded(a) ||
        Number(a.stack.dominated) - Number(b.stack.dominated) ||
        (a.stack.name < b.stack.name ? -1 : 1),
    );
  }

  function listed(names) {
    if (names.length < 2) return names.join("");
    return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
  }

  function sentence(rows) {
    if (!data.stacks.length) return "No stack is left to rank.";
    if (!rows.length) return "All weights are zero, so nothing decides.";
    const first = rows[0].stack.title;
    if (rows.length === 1) return `${first} is the only stack that meets the constraints.`;
    const tied = rows.filter((row) => row.best === 1 && row !== rows[0]);
    if (!tied.length) return `${first} is first: its range lies above that of all others.`;
    const names = listed(tied.map((row) => row.stack.title));
    return `Not known. ${first} comes out first, and the ranges do not separate it from ${names}.`;
  }

  function spellMoney(value) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(value)));
    return value.toLocaleString("en", {
      minimumFractionDigits: Math.min(digits, 6),
      maximumFractionDigits: Math.min(digits, 6),
    });
  }

  function costText(stack, price) {
    if (stack.rate === null) return "cost unknown: its tokens a second are not known";
    if (!(price > 0)) return "cost unknown: no price per hour";
    const ends = [costOf(stack.rate[2], price), costOf(stack.rate[0], price)];
    const [low, high] = ends.map(spellMoney);
    const range = low === high ? "" : ` (${low}–${high})`;
    const middle = spellMoney(costOf(stack.rate[1], price));
    return `${middle}${range} ${data.currency} a million tokens${stack.rate_note}`;
  }

  window.polystackDecision = { rank, sentence, costOf };

  const form = document.getElementById("weights");
  if (!form) return;
  const list = document.getElementById("live-ranking");
  const said = document.getElementById("live-answer");
  const price = document.getElementById("price");

  function part(name, text, className) {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = className;
    return made;
  }

  function place(row) {
    return row.best === row.worst ? String(row.best) : `${row.best}–${row.worst}`;
  }

  function bar(row) {
    const track = part("div", "", "bar");
    const range = part("span", "", "bar-range");
    range.style.left = `${row.low * 100}%`;
    range.style.width = `${Math.max(0.4, (row.high - row.low) * 100)}%`;
    const point = part("span", "", "bar-point");
    point.style.left = `${row.point * 100}%`;
    track.append(range, point);
    track.setAttribute("aria-hidden", "true");
    return track;
  }

  function item(row, hourly) {
    const made = document.createElement("li");
    const heading = part("p", "", "live-head");
    const span = `${row.low.toFixed(2)}–${row.high.toFixed(2)}`;
    heading.append(
      part("span", `place ${place(row)}`, "live-place"),
      part("strong", row.stack.title, ""),
      part("span", `${row.stack.language}, ${row.stack.reach}`, "quiet"),
      part("span", `${row.point.toFixed(2)} (${span})`, "live-total"),
    );
    made.append(heading, bar(row), part("p", costText(row.stack, hourly), "quiet"));
    return made;
  }

  const fields = data.criteria.map(({ key, weight }) => ({
    key,
    weight,
    slider: document.getElementById(`weight-${key}`),
    number: document.getElementById(`number-${key}`),
    share: document.getElementById(`share-${key}`),
  }));

  function weights() {
    return Object.fromEntries(
      fields.map(({ key, number }) => [key, Math.max(0, Number(number.value) || 0)]),
    );
  }

  function draw() {
    const now = weights();
    const hourly = Number(price.value);
    const whole = Object.values(now).reduce((sum, weight) => sum + weight, 0);
    for (const { key, share } of fields) {
      share.textContent = whole ? `${Math.round((now[key] / whole) * 100)} %` : "–";
    }
    const rows = rank(now, hourly);
    list.replaceChildren(...rows.map((row) => item(row, hourly)));
    const text = sentence(rows);
    // Only what changed is spoken, or a screen reader would read at every step of a slider.
    if (said.textContent !== text) said.textContent = text;
  }

  for (const { slider, number } of fields) {
    slider.addEventListener("input", () => {
      number.value = slider.value;
      draw();
    });
    number.addEventListener("input", () => {
      slider.value = number.value;
      draw();
    });
  }
  price.addEventListener("input", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("weights-reset").addEventListener("click", () => {
    for (const { slider, number, weight } of fields) {
      slider.value = weight;
      number.value = weight;
    }
    price.value = data.price === null ? "" : data.price;
    draw();
  });
  form.hidden = false;
  draw();
})();
