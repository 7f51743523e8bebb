// The page of the console: webhooks.

import type { JSX } from "preact";

import { ConsolePage, mount } from "./console/ui.tsx";

function Webhooks(): JSX.Element {
  return (
    <ConsolePage>
      <h1>Webhooks</h1>
    </ConsolePage>
  );
}

mount(<Webhooks />);
