"""Reports on training runs: one self-contained HTML page, or the learning curve alone as SVG."""

from rlvr_gym.report.page import write_figure, write_report
from rlvr_gym.report.run_data import RunData

__all__ = ["RunData", "write_figure", "write_report"]
