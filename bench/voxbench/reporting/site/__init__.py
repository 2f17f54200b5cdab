"""The report as pages that open from disk: leaderboard, tasks, baselines, results and cases.

material ─▶ leaderboard, task, baseline, result ─▶ case ─ picture ─▶ build ─▶ OUT/index.html
records     one file a kind of page                volumes as base64     templates/, static/
"""
