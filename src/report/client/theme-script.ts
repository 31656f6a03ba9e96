/** Browser script: the theme button goes from the system's choice to light to dark and back. */

export const THEME_SCRIPT = `
const themes = ['system', 'light', 'dark'];
const themeButton = document.getElementById('theme');
function showTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  themeButton.textContent = 'Theme: ' + theme;
}
// Where storage is forbidden (some browsers, for files) the choice lasts as long as the page.
let theme = 'system';
try { theme = localStorage.getItem('mga-report-theme') || theme; } catch {}
showTheme(themes.includes(theme) ? theme : 'system');
themeButton.addEventListener('click', () => {
  theme = themes[(themes.indexOf(theme) + 1) % themes.length];
  showTheme(theme);
  try { localStorage.setItem('mga-report-theme', theme); } catch {}
});
`;
