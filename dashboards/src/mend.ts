import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard'

/**
 * What the builders leave open: an id for every panel and row, a refId for every query, and a grid that holds them.
 * Ids follow the order on the page, so that the same dashboard is always the same text.
 * @throws Error for a panel that leaves the grid of 24 columns, or overlaps another.
 */
export function mend(dashboard: Dashboard): Dashboard {
  const taken = new Map<string, string>()
  let id = 0
  for (const panel of everyPanel(dashboard.panels ?? [])) {
    id += 1
    panel.id = id
    const title = panel.title ?? `panel ${id}`
    if ('targets' in panel) {
      panel.targets?.forEach((target, index) => {
        Object.assign(target, { refId: String.fromCharCode(65 + index) })
      })
    }
    const { x, y, w, h } = panel.gridPos ?? { x: 0, y: 0, w: 0, h: 0 }
    if (w < 1 || h < 1 || x + w > 24)
      throw new Error(`${dashboard.title}: "${title}" leaves the grid (x ${x}, width ${w}).`)
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const other = taken.get(`${column} ${row}`)
        if (other !== undefined) throw new Error(`${dashboard.title}: "${title}" lies on "${other}".`)
        taken.set(`${column} ${row}`, title)
      }
    }
  }
  return dashboard
}

/** Panels and rows in their order, those inside collapsed rows too. */
export function everyPanel(panels: readonly (Panel | RowPanel)[]): (Panel | RowPanel)[] {
  return panels.flatMap(panel => [panel, ...('panels' in panel ? everyPanel(panel.panels ?? []) : [])])
}
