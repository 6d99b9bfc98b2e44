using Flex.Local.Cli;

return await CommandTable.RunAsync(args);
