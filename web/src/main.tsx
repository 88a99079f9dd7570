import { render } from "preact";
import { App } from "./app";
import { keepDrafts } from "./draft";
import { keepGauge } from "./gauge";
import { listenToKeys } from "./keys";
import { applyPreferences } from "./preferences";
import { followAddress, startPatiently } from "./store";
import "./style/base.css";
import "./style/layout.css";
import "./style/message.css";
import "./style/dialogs.css";

applyPreferences();
keepDrafts();
listenToKeys();
addEventListener("popstate", followAddress);
render(<App />, document.querySelector("#app")!);
void startPatiently().then(keepGauge);
