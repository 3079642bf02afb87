// Which services nobody watches, and why a proposal cannot be taken over by a press. Pure.

import type { StarterProposal } from "../../api/quality";
import type { MessageKey } from "../../i18n/keys";

interface OfService {
  service: string | null;
}

/** Whether a rule or an objective is about it. A rule about every host watches no service. */
export const isWatched = (
  service: string,
  rules: readonly OfService[],
  objectives: readonly OfService[],
): boolean => [...rules, ...objectives].some((each) => each.service === service);

/** Services with requests that nothing watches, the busiest first. */
export const unwatched = <T extends { name: string; requests: number }>(
  services: readonly T[],
  rules: readonly OfService[],
  objectives: readonly OfService[],
): T[] =>
  services
    .filter((each) => each.requests > 0 && !isWatched(each.name, rules, objectives))
    .sort((a, b) => b.requests - a.requests || a.name.localeCompare(b.name));

const WHY: Record<string, MessageKey> = {
  no_folder: "starter-no-folder",
  exists: "starter-exists",
  declared: "starter-declared",
};

/** Why it cannot be accepted, and what to do; null when it can. A server that doesn't say cannot do it. */
export function obstacleOf(accept: StarterProposal["accept"]): MessageKey | null {
  if (accept?.possible === true) return null;
  return (accept === undefined ? undefined : WHY[accept.why]) ?? "starter-by-hand";
}

/** The file that it is saved as. */
export const fileOf = (service: string, accept: StarterProposal["accept"]): string =>
  accept?.possible === true
    ? accept.file
    : `starter-${service.replaceAll(/[^A-Za-z0-9._-]/g, "-")}.yaml`;
