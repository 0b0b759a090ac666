// Who looks: the form to log in, and the button to log out. Both are shown only where the server has users.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/ui.js";
import { loggedIn, send, useMe } from "./api.js";
import { Act, said } from "./parts.js";

function Form({ again }) {
  const ref = useRef(null);
  const [fault, setFault] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await send("POST", "/login", Object.fromEntries(new FormData(ref.current)));
      loggedIn();
    } catch (error) {
      setFault(error);
      ref.current.elements.secret.select();
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="login" ref=${ref} onSubmit=${submit}>
    <h1>${again ? "Log in again" : "Log in"}</h1>
    <p class="soft">${again ? "Your log-in has ended. What you were doing stays as it is behind this form." : "Your name and your secret are from whoever runs this Dateline."}</p>
    <label class="field"><span>Name</span><input type="text" name="name" required maxlength="60" autocomplete="username" autocapitalize="none" spellcheck="false" /></label>
    <label class="field"><span>Secret</span><input type="password" name="secret" required maxlength="200" autocomplete="current-password" aria-describedby=${fault ? "login-fault" : undefined} aria-invalid=${fault ? "true" : undefined} /></label>
    ${fault ? html`<p class="fault" id="login-fault" role="alert">${said(fault.message)}</p>` : null}
    <button class="main" aria-disabled=${String(busy)}>${busy ? "Logging in…" : "Log in"}</button>
  </form>`;
}

/** The form in the place of the view, for someone who has seen nothing yet. */
export function LoginPage() {
  const ref = useRef(null);
  useEffect(() => { document.title = "Log in · Dateline"; ref.current.querySelector("input").focus(); }, []);
  return html`<div ref=${ref}><${Form} /></div>`;
}

/** The form above the view, whose log-in has ended: nothing that was typed into it is lost. */
export function LoginAgain() {
  const ref = useRef(null);
  useLayoutEffect(() => ref.current.showModal(), []);
  return html`<dialog ref=${ref} aria-label="Log in again" onCancel=${(event) => event.preventDefault()}><div class="dialog"><${Form} again /></div></dialog>`;
}

export function LogOut() {
  const me = useMe();
  if (!me?.until) return null;
  const out = async () => { await send("DELETE", "/login"); location.assign("/"); };
  return html`<${Act} class="log-out" run=${out} title=${`You are ${me.name}, who may ${me.role === "operate" ? "look at everything and change it" : "look at everything"}`}>Log out<span class="unseen"> ${me.name}</span><//>`;
}
