"""Lock the SQLite file in argv[1] until stdin is closed."""

import sqlite3
import sys

connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN EXCLUSIVE")
sys.stdout.write("locked\n")
sys.stdout.flush()
sys.stdin.read()
connection.rollback()
