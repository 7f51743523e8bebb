// Cuts a failing plan down to what it needs to fail.

import type { AskStep, DeliveryPlan, Plan, Step } from "./plan.ts";

/** The most runs of one search. It ends then with the smallest plan so far. */
const RUNS_MAX = 400;

/**
 * Returns a smaller plan that fails by `fails`: without some steps, and with plainer steps, until nothing
 * more can go.
 */
export function shrunk(plan: Plan, fails: (plan: Plan) => boolean, runsMax: number = RUNS_MAX): Plan {
  let runCount = 0;
  const tried = (candidate: Plan): boolean => {
    runCount += 1;
    return runCount <= runsMax && fails(candidate);
  };
  let least = plan;
  for (let before: Plan | null = null; before !== least;) {
    before = least;
    least = withFewerSteps(least, tried);
    least = withPlainerSteps(least, tried);
    for (const change of PLAINER_PLANS) {
      const plainer = change(least);
      if (plainer !== null && tried(plainer)) least = plainer;
    }
  }
  return least;
}

/** Leaves out runs of steps, long ones first. */
function withFewerSteps(plan: Plan, fails: (plan: Plan) => boolean): Plan {
  let { steps } = plan;
  for (let length = steps.length >> 1; length >= 1; length >>= 1) {
    for (let from = 0; from < steps.length;) {
      const fewer = steps.toSpliced(from, length);
      if (fails({ ...plan, steps: fewer })) steps = fewer;
      else from += length;
    }
  }
  return steps === plan.steps ? plan : { ...plan, steps };
}

function withPlainerSteps(plan: Plan, fails: (plan: Plan) => boolean): Plan {
  let { steps } = plan;
  for (const index of steps.keys()) {
    for (const change of PLAINER) {
      const step = steps[index];
      const plainer = step === undefined ? null : change(step);
      if (plainer === null) continue;
      const changed = steps.with(index, plainer);
      if (fails({ ...plan, steps: changed })) steps = changed;
    }
  }
  return steps === plan.steps ? plan : { ...plan, steps };
}

/** Each makes a step plainer in one respect; null if it is so already. */
const PLAINER: readonly ((step: Step) => Step | null)[] = [
  (step) => ask(step, ({ faultPlans }) => (faultPlans.length === 0 ? null : { faultPlans: [] })),
  (step) => ask(step, ({ faultPlans }) => (faultPlans.length <= 1 ? null : { faultPlans: faultPlans.slice(0, 1) })),
  (step) => ask(step, ({ patience }) => (patience === 0 ? null : { patience: 0 })),
  (step) => ask(step, ({ isolate }) => (isolate === 0 ? null : { isolate: 0 })),
  (step) => ask(step, ({ client }) => (client === 0 ? null : { client: 0 })),
  (step) => ask(step, ({ ask: asked }) => (asked.kind === "claim" && asked.key !== null ? { ask: { ...asked, key: null } } : null)),
  (step) =>
    ask(step, ({ ask: asked }) => {
      if (asked.kind !== "create" || (asked.startsAt === null && asked.endsAt === null)) return null;
      return { ask: { ...asked, startsAt: null, endsAt: null } };
    }),
  (step) =>
    ask(step, ({ ask: asked }) => {
      if (asked.kind !== "claim_many" || asked.userIds.length <= 1) return null;
      return { ask: { ...asked, userIds: asked.userIds.slice(0, asked.userIds.length >> 1) } };
    }),
  (step) => ask(step, ({ leavesMs }) => (leavesMs === null ? null : { leavesMs: null })),
  (step) => ("skewMs" in step && step.skewMs !== null ? { ...step, skewMs: null } : null),
  (step) => ("isLossy" in step && step.isLossy ? { ...step, isLossy: false } : null),
];

function ask(step: Step, change: (step: AskStep) => Partial<AskStep> | null): Step | null {
  const changes = step.is === "ask" ? change(step) : null;
  return step.is !== "ask" || changes === null ? null : { ...step, ...changes };
}

function delivery(plan: Plan, change: (delivery: DeliveryPlan) => Partial<DeliveryPlan> | null): Plan | null {
  const changes = plan.delivery === undefined ? null : change(plan.delivery);
  return plan.delivery === undefined || changes === null ? null : { ...plan, delivery: { ...plan.delivery, ...changes } };
}

/** Each makes the whole plan plainer in one respect; null if it is so already. */
const PLAINER_PLANS: readonly ((plan: Plan) => Plan | null)[] = [
  ({ delivery: _delivery, ...plan }) => (_delivery === undefined ? null : plan),
  ({ lanes: _lanes, ...plan }) => (_lanes === undefined ? null : plan),
  ({ lanes, ...plan }) => (lanes === undefined || lanes.faultPercent === 0 ? null : { ...plan, lanes: { ...lanes, faultPercent: 0 } }),
  ({ lanes, ...plan }) => (lanes === undefined || lanes.setting === "1" ? null : { ...plan, lanes: { ...lanes, setting: "1" } }),
  (plan) => delivery(plan, ({ receivers }) => (receivers.length === 0 ? null : { receivers: receivers.slice(1) })),
  (plan) => delivery(plan, ({ faultPercent }) => (faultPercent === 0 ? null : { faultPercent: 0 })),
  (plan) => (plan.isEdgeOn ? { ...plan, isEdgeOn: false } : null),
  (plan) => (plan.isDrained ? { ...plan, isDrained: false } : null),
  (plan) => (plan.diskJitterMs > 0 ? { ...plan, diskJitterMs: 0 } : null),
  (plan) => (plan.slowFlushes > 0 ? { ...plan, slowFlushes: 0 } : null),
  (plan) => (plan.faultPercent > 0 ? { ...plan, faultPercent: 0 } : null),
  (plan) => (plan.diskMs > 0 ? { ...plan, diskMs: 0 } : null),
];
