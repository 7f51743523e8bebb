// The page of the console: sale.

import type { JSX } from "preact";

import { ConsolePage, mount } from "./console/ui.tsx";

function Sale(): JSX.Element {
  return (
    <ConsolePage>
      <h1>Sale</h1>
    </ConsolePage>
  );
}

mount(<Sale />);
