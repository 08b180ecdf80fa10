import { type Markup, markup } from '../markup.ts'
import type { Verdict } from '../model.ts'

/** Drawn, not typed: no font has to have them, and each verdict has a shape of its own. */
const paths: Record<Verdict, string> = {
  pass: 'M3.5 8.5 6.8 11.8 12.5 4.8',
  fail: 'M4 4 12 12M12 4 4 12',
  inconclusive: 'M5.2 6.1a2.9 2.9 0 1 1 4.2 2.5c-.9.5-1.4 1-1.4 1.9M8 13v.2',
  void: 'M8 2.8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4M4.5 11.5 11.5 4.5',
}

export function verdictBadge(verdict: Verdict): Markup {
  return markup`<span class="badge ${verdict}"><svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="${paths[verdict]}"/></svg>${verdict}</span>`
}
