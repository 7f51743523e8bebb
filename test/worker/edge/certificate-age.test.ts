// A certificate ends by the time of its request, however late its answer arrives.

import { expect, test } from "vitest";

import { CERTIFICATE_MS_MAX } from "../../../src/domain/limits.ts";
import { claim, created } from "../../support/api.ts";
import { setClock, T0 } from "../../support/clock.ts";
import { delivered, platform, silence, type Delivery } from "../../support/platform-faults.ts";
import { isolate, outcomeBy } from "./isolate.ts";

test("a certificate that arrives after 900 ms is valid for 100 ms more", async () => {
  setClock(T0);
  const name = await created(1);
  await claim(name, "winner");
  const [isJudged, isArriving] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const late: Delivery = async (deliver) => {
    const answer = await deliver();
    isJudged.resolve();
    await isArriving.promise;
    return answer;
  };
  // The next renewal is never answered.
  const { claim: claimNow, settled } = isolate(platform(delivered, late, silence));
  expect(outcomeBy(await claimNow(name, "a"))).toBe("400 out_of_stock by the object");
  await isJudged.promise;
  setClock(T0 + 900);
  isArriving.resolve();
  await settled();

  setClock(T0 + CERTIFICATE_MS_MAX - 1);
  expect(outcomeBy(await claimNow(name, "b"))).toBe("400 out_of_stock by the edge");
  setClock(T0 + CERTIFICATE_MS_MAX);
  expect(outcomeBy(await claimNow(name, "c"))).toBe("400 out_of_stock by the object");
});
