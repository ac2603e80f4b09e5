using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Taba.Testing.Commands;

/// <summary>
/// The programs that tests start. Those of tests/Taba.Programs, whose code is compiled ahead, where test.sh published them and they are of
/// this build; else those beside the tests, which start more slowly.
/// </summary>
public static class Programs
{
    static readonly Lazy<string> s_folder = new(
        () => Published() is { } folder && IsOfThisBuild(folder) ? folder : AppContext.BaseDirectory);

    /// <summary>The command.</summary>
    public static IReadOnlyList<string> Taba => In(s_folder.Value, "taba.dll");

    /// <summary>A silo of a cluster.</summary>
    public static IReadOnlyList<string> Silo => In(s_folder.Value, "Taba.Silo.dll");

    /// <summary>Another program beside the one that runs.</summary>
    public static IReadOnlyList<string> Beside(string assembly) => In(AppContext.BaseDirectory, assembly);

    static IReadOnlyList<string> In(string folder, string assembly) =>
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet", Path.Combine(folder, assembly)];

    /// <summary>The folder of tests/Taba.Programs for the configuration that this build has; null when nothing was published.</summary>
    static string? Published()
    {
        // .../tests/PROJECT/bin/CONFIGURATION/FRAMEWORK/
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent;
        var tests = configuration?.Parent?.Parent?.Parent;
        var folder = tests is null ? "" : Path.Combine(tests.FullName, "Taba.Programs", "bin", configuration!.Name, "published");
        return File.Exists(Path.Combine(folder, "Taba.Silo.deps.json")) ? folder : null;
    }

    /// <summary>Compiling ahead leaves a module its id, which a build derives from the module's content.</summary>
    static bool IsOfThisBuild(string folder) => Directory.GetFiles(folder, "*.dll")
        .Where(file => Path.GetFileName(file) is "taba.dll" || Path.GetFileName(file).StartsWith("Taba.", StringComparison.Ordinal))
        .Where(file => Path.GetFileName(file) != "Taba.Programs.dll")
        .All(file => Id(file) == Id(Path.Combine(AppContext.BaseDirectory, Path.GetFileName(file))));

    static Guid? Id(string file)
    {
        if (!File.Exists(file))
            return null;
        using var image = new PEReader(File.OpenRead(file));
        var metadata = image.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }
}
