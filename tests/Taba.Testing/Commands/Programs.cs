namespace Taba.Testing.Commands;

/// <summary>The programs that tests start.</summary>
public static class Programs
{
    /// <summary>The command.</summary>
    public static IReadOnlyList<string> Taba => At("taba.dll");

    /// <summary>A silo of a cluster.</summary>
    public static IReadOnlyList<string> Silo => At("Taba.Silo.dll");

    /// <summary>Another program beside the one that runs.</summary>
    public static IReadOnlyList<string> Beside(string assembly) => [Host, Path.Combine(AppContext.BaseDirectory, assembly)];

    static string Host => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";

    static IReadOnlyList<string> At(string assembly) => Beside(assembly);
}
