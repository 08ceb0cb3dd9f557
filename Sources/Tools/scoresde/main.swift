import Foundation

Console.outliveReaders()
exit(Tool.run(Array(CommandLine.arguments.dropFirst())))
