import Foundation

Console.outliveReaders()
Console.outliveLimits()
exit(Tool.run(Array(CommandLine.arguments.dropFirst())))
