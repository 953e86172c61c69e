// Light and dark: by the system's choice, or by the switch, which the browser remembers.

const SYMBOLS = { auto: "◐", light: "☀", dark: "☾" };
const MEANINGS = { auto: "as the system", light: "light", dark: "dark" };
const NAMES = Object.keys(SYMBOLS);

/** Let a button switch between the system's choice, light and dark. */
export function switchThemesWith(button) {
  const saved = localStorage.getItem("theme");
  let name = NAMES.includes(saved) ? saved : "auto";
  const use = () => {
    document.documentElement.dataset.theme = name;
    button.textContent = SYMBOLS[name];
    button.setAttribute("aria-label", `Colours: ${MEANINGS[name]}`);
    button.title = `Colours: ${MEANINGS[name]}`;
  };
  button.addEventListener("click", () => {
    name = NAMES[(NAMES.indexOf(name) + 1) % NAMES.length];
    localStorage.setItem("theme", name);
    use();
  });
  use();
}
