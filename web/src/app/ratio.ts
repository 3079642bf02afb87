// Ratios that can be defended: counts and the interval beside them. Pure.

/** Wilson score interval, 95 %. Null without a single observation. */
export function wilson(bad: number, total: number): { low: number; high: number } | null {
  if (total <= 0) return null;
  const z = 1.959_964;
  const p = bad / total;
  const scale = 1 + (z * z) / total;
  const middle = p + (z * z) / (2 * total);
  const margin = z * Math.sqrt((p * (1 - p)) / total + (z * z) / (4 * total * total));
  return {
    low: bad === 0 ? 0 : Math.max(0, (middle - margin) / scale),
    high: bad === total ? 1 : Math.min(1, (middle + margin) / scale),
  };
}
