// The page of the console: new sale.

import type { JSX } from "preact";

import { ConsolePage, mount } from "./console/ui.tsx";

function NewSale(): JSX.Element {
  return (
    <ConsolePage>
      <h1>New sale</h1>
    </ConsolePage>
  );
}

mount(<NewSale />);
