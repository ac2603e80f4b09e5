using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Taba.Silo.Web.Access;

namespace Taba.Silo.Web.Files;

/// <summary>
/// The files of the page, which are in this assembly. Each has an address of its own, so that nothing else can be asked for; none needs a
/// token, since who has none must be able to say so.
/// </summary>
static class PageFiles
{
    const string Prefix = "pages/";

    public static void MapPageFiles(this IEndpointRouteBuilder endpoints)
    {
        foreach (var (path, file) in All())
        {
            endpoints.MapMethods(path, ["GET", "HEAD"], () => file).WithMetadata(OpenToAll.Mark);
            if (path == "/index.html")
                endpoints.MapMethods("/", ["GET", "HEAD"], () => file).WithMetadata(OpenToAll.Mark);
        }
    }

    /// <summary>The files by their addresses.</summary>
    static IEnumerable<(string Path, PageFile File)> All()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            yield return ($"/{name[Prefix.Length..]}", new(TypeOf(name), bytes));
        }
    }

    static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".woff2" => "font/woff2",
        _ => "text/plain; charset=utf-8",
    };
}
