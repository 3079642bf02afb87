// Begins the app: the address, the clock, the texts, who is signed in; then the first page.

import "./ui/tokens.css";
import "./ui/base.css";
import { mount } from "svelte";
import App from "./app/App.svelte";
import { startClock } from "./app/clock.svelte";
import { initialLanguage } from "./app/prefs.svelte";
import { startRouter } from "./app/router.svelte";
import { refreshSession } from "./app/session.svelte";
import { useLanguage } from "./i18n/i18n.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");

startRouter();
startClock();
await Promise.all([useLanguage(initialLanguage()), refreshSession()]);
mount(App, { target });
