/** Asks for a key where the server wants one. */

import { useState } from "../vendor/hooks.js";
import { post } from "./answers.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { lock } from "./session.js";

export function Login() {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = (event) => {
    event.preventDefault();
    setBusy(true);
    post("/login", { key: new FormData(event.target).get("key").trim() }).then(
      () => lock(false),
      (error) => {
        setBusy(false);
        setProblem(error);
      },
    );
  };
  return html`<${Dialog} name="Log in">
    <form class="login" onSubmit=${submit}>
      <p class="soft">These numbers are for who has a key to read them. Whoever runs this makes one with <code>tally keys create NAME --scope read</code>.</p>
      <label>Key<input type="password" name="key" required autocomplete="current-password" placeholder="tally_…" aria-describedby="login-problem" autofocus /></label>
      <p id="login-problem" class="login-problem" role="alert">${problem?.detail}</p>
      <button type="submit" class="button is-main" disabled=${busy}>Log in</button>
    </form>
  <//>`;
}
