"""Who watches: metrics, status and log, fed by the reports of passes."""
