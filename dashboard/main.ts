// Entry: theme first, then the shell, which loads its pages as they are visited.
import "@awesome.me/webawesome/dist/styles/themes/default.css";
import "@fontsource-variable/inter/wght.css";
import "./theme/tokens.css";
import "./theme/layout.css";
import "./theme/parts.css";
import "./theme/content.css";
import "./theme/forms.css";
import "./app-shell.ts";
