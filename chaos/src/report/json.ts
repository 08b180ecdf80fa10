import type { Reporter } from './reporter.ts'

/** `report.json`: everything, in the shape of `schemas/report.schema.json`. */
export const json: Reporter = {
  fileName: 'report.json',
  render: report => `${JSON.stringify(report, null, 2)}\n`,
}
