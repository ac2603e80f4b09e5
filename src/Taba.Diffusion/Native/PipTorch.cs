using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Native;

/// <summary>
/// Runs on the libtorch of a Python installation (the way to CUDA without a CUDA package): TABA_TORCH names the
/// folder of the Python package torch, or its lib folder.
/// </summary>
static partial class PipTorch
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "TABA_TORCH";

    const string AnyVersionVariable = "TABA_TORCH_ANY_VERSION";

    /// <summary>The version whose memory layouts TorchSharp's native part was compiled against.</summary>
    const string SupportedVersion = "2.10.";

    /// <summary>In the order of their needs. Those of CUDA are absent from a CPU build.</summary>
    static readonly (string Name, bool Required)[] s_libraries =
    [
        ("libtorch_global_deps.so", false),
        ("libc10.so", true),
        ("libtorch_cpu.so", true),
        ("libc10_cuda.so", false),
        ("libtorch_cuda.so", false),
        ("libtorch.so", true),
    ];

    /// <summary>Loads the folder's libraries, so that TorchSharp finds them by name.</summary>
    /// <param name="folder">The value of <see cref="Variable"/>.</param>
    /// <param name="ownDirectories">Where this program's own native libraries lie.</param>
    /// <exception cref="IOException">The folder is not such a package.</exception>
    /// <exception cref="NotSupportedException">It is of another version, or this program carries a libtorch itself.</exception>
    /// <exception cref="DllNotFoundException">A library does not load.</exception>
    public static void Load(string folder, IReadOnlyList<string> ownDirectories)
    {
        var lib = File.Exists(Path.Combine(folder, "libtorch_cpu.so")) ? folder : Path.Combine(folder, "lib");
        if (!File.Exists(Path.Combine(lib, "libtorch_cpu.so")))
            throw new FileNotFoundException($"{Variable} is {folder}, but neither it nor its lib folder holds libtorch_cpu.so.");
        RequireVersion(Path.GetDirectoryName(Path.GetFullPath(lib).TrimEnd('/'))!);

        var own = ownDirectories.Select(d => Path.Combine(d, "libtorch_cpu.so")).FirstOrDefault(File.Exists);
        if (own is not null)
        {
            throw new NotSupportedException(
                $"{Variable} is set, but this program carries a libtorch itself ({own}) and two in one process clash: "
                + "unset the variable, or build with -p:TorchBackend=none.");
        }

        foreach (var (name, required) in s_libraries)
        {
            var path = Path.Combine(lib, name);
            if (required || File.Exists(path))
                NativeLibrary.Load(path);
        }
    }

    static void RequireVersion(string package)
    {
        if (Environment.GetEnvironmentVariable(AnyVersionVariable) == "1")
            return;
        var file = Path.Combine(package, "version.py");
        if (!File.Exists(file))
            throw new FileNotFoundException($"{file} is missing: the version of this torch cannot be checked.");
        var version = VersionLine().Match(File.ReadAllText(file)).Groups[1].Value;
        if (!version.StartsWith(SupportedVersion, StringComparison.Ordinal))
        {
            throw new NotSupportedException(
                $"{Variable} points to torch '{version}', but this program is compiled against {SupportedVersion}*, and other "
                + $"versions may corrupt memory: install torch=={SupportedVersion}*, or set {AnyVersionVariable}=1 to try.");
        }
    }

    [GeneratedRegex("""__version__\s*=\s*['"]([^'"]+)['"]""")]
    private static partial Regex VersionLine();
}
