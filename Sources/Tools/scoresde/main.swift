print("scoresde")
